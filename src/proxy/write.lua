-- Runs a batch of writes. Whether a user is new, what may be set then, and the setting are one atomic step.
--
-- KEYS  users:regular, users:models, then one key a command
-- ARGV  now (ms), then for each command: its name, its effect ('' | 'protected' | 'created_at'),
--       whether its values are invalid for a new user ('1' | ''), the number of its arguments, its arguments
--
-- Returns one result a command: an integer or a string as Redis gave it, or a tagged list:
--   {'number', digits}   an integer too large for a Lua number
--   {'array', reply}     an array as Redis gave it
--   {'error', text}      the command failed
--   {'invalid'}          the user is new, and the values are not fit for one
--   {'changed', field…}  the user exists, and these protected fields would change

local regular, models, now = KEYS[1], KEYS[2], ARGV[1]
local PROTECTED = {
  username = true, display_name = true, avatar = true, role = true,
  postCount = true, followerCount = true, followingCount = true,
}
-- Lua's stack takes 8,000 values in one call. An even number keeps fields beside their values.
local CHUNK = 7000
-- From here on a Lua number no longer tells neighbouring integers apart.
local EXACT = 2 ^ 53

-- Whether each profile had no username when the batch began. Only commands that were asked for here can change that.
local is_new = {}

local function user_is_new(key)
  if is_new[key] == nil then
    is_new[key] = redis.pcall('HGET', key, 'username') == false
  end
  return is_new[key]
end

-- A user of whom much is left is swept away in steps; until then nobody can take the name.
local function is_being_deleted(key)
  return redis.call('EXISTS', key .. ':deleting') == 1 and {'error', 'ERR this user is being deleted, try again later'}
end

-- The protected fields among the pairs from first to last whose stored value is another one.
local function changed_fields(key, first, last)
  local changed = {'changed'}
  for i = first, last, 2 do
    if PROTECTED[ARGV[i]] then
      local stored = redis.pcall('HGET', key, ARGV[i])
      -- A key of another type has no fields; the command itself will say so.
      if type(stored) ~= 'table' and stored ~= ARGV[i + 1] then
        changed[#changed + 1] = ARGV[i]
      end
    end
  end
  return changed
end

-- The digits of what a counting command has just stored.
local function exact_result(name, key, field)
  if name == 'HINCRBY' then return redis.call('HGET', key, field) end
  if name == 'INCR' or name == 'INCRBY' or name == 'DECR' or name == 'DECRBY' then return redis.call('GET', key) end
end

-- What is wrong with a registry, if anything. One of another type takes nobody in: better to know before a user is written.
local registry_fault
local function fault_of_registries()
  if registry_fault == nil then
    registry_fault = false
    for _, registry in ipairs({regular, models}) do
      local kind = redis.call('TYPE', registry).ok
      if kind ~= 'zset' and kind ~= 'none' then
        registry_fault = {'error', 'WRONGTYPE ' .. registry .. ' is no sorted set'}
      end
    end
  end
  return registry_fault
end

local function execute(name, key, first, last)
  local sum, status = 0, nil
  repeat
    local reply = redis.pcall(name, key, unpack(ARGV, first, math.min(last, first + CHUNK - 1)))
    if type(reply) == 'number' then
      sum = sum + reply
    elseif type(reply) ~= 'table' then
      return reply
    elseif reply.err then
      return {'error', reply.err}
    elseif reply.ok then
      status = reply.ok
    else
      return {'array', reply}
    end
    first = first + CHUNK
  until first > last
  if status then return status end
  if math.abs(sum) >= EXACT then
    local digits = exact_result(name, key, ARGV[last - 1])
    if digits then return {'number', digits} end
  end
  return sum
end

local results, to_register = {}, {}
local at = 2
for n = 3, #KEYS do
  local key = KEYS[n]
  local name, effect, invalid_if_new, count = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  local first, last = at + 4, at + 3 + count
  at = last + 1
  local refused = effect ~= '' and fault_of_registries()
  if effect == 'protected' and not refused then
    if user_is_new(key) then
      refused = invalid_if_new == '1' and {'invalid'} or is_being_deleted(key)
    else
      local changed = changed_fields(key, first, last)
      refused = #changed > 1 and changed
    end
  end
  if effect ~= '' and not refused then to_register[key] = true end
  results[#results + 1] = refused or execute(name, key, first, last)
end
for key in pairs(to_register) do register(key, now) end
return results
