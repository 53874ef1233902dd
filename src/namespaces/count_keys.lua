-- Counts the keys of namespaces in one slice of all keys.
--
-- ARGV  cursor, prefixes…
--
-- Returns {cursor, for each prefix {keys, those of them without expiry, how many were weighed, their bytes}…}.

-- So many keys of each namespace are weighed. SCAN's order is that of hashes, so the first are as good as any.
local SAMPLE = 20

local prefixes = {unpack(ARGV, 2)}
local owner = owners(prefixes)
local reply = {ARGV[1]}
for number = 1, #prefixes do reply[number + 1] = {0, 0, 0, 0} end

reply[1] = scan(ARGV[1], '*', MOST_TOUCHED, function(key)
  local number = owner(key)
  if not number then return false end
  local count = reply[number + 1]
  count[1] = count[1] + 1
  if call('TTL', key) == -1 then count[2] = count[2] + 1 end
  if count[3] < SAMPLE then
    -- Not every server weighs keys.
    local bytes = redis.pcall('MEMORY', 'USAGE', key)
    if type(bytes) == 'number' then count[3], count[4] = count[3] + 1, count[4] + bytes end
  end
  return true
end)
return reply
