-- Lists keys that are of no namespace.
--
-- ARGV  cursor, pattern, how many are wanted, the prefix that they are to get, the prefixes of all namespaces…
--
-- Returns {cursor, {key as text, type, TTL in seconds, whether its new name is taken}…}.

local owner = owners({unpack(ARGV, 5)})
local reply = {ARGV[1]}
reply[1] = scan(ARGV[1], ARGV[2], tonumber(ARGV[3]), function(key)
  if owner(key) then return false end
  reply[#reply + 1] = {told(key), call('TYPE', key).ok, call('TTL', key), call('EXISTS', ARGV[4] .. key)}
  return true
end)
return reply
