#!lua
-- Adds what an isolate has counted to the counts of all, once however often the batch is sent.
--
-- KEYS  ridge:usage:last, ridge:usage:writer:<isolate>, then ridge:usage:<day> for each count
-- ARGV  the number of the batch, for how long (s) it is remembered, for how long (s) counts are kept,
--       before when (ms) the last use of a key is forgotten,
--       then for each count: the key's name, requests, commands, denials, when it was last used (ms)
--
-- Returns 1, or 0 if the batch, or a later one, was added before.

local last, writer = KEYS[1], KEYS[2]
local number, remembered, kept, forgotten = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if tonumber(redis.call('GET', writer) or '0') >= tonumber(number) then return 0 end
-- First of all: should what follows fail in its middle, the half of it is not added twice.
redis.call('SET', writer, number, 'EX', remembered)
for n = 3, #KEYS do
  local day, at = KEYS[n], 5 + (n - 3) * 5
  local name = ARGV[at]
  for i, count in ipairs({'requests', 'commands', 'denials'}) do
    redis.call('HINCRBY', day, count .. ':' .. name, ARGV[at + i])
  end
  redis.call('EXPIRE', day, kept)
  redis.call('ZADD', last, 'GT', ARGV[at + 4], name)
end
redis.call('ZREMRANGEBYSCORE', last, '-inf', '(' .. forgotten)
redis.call('EXPIRE', last, kept)
return 1
