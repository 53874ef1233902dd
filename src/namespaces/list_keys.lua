-- Lists keys of a namespace.
--
-- ARGV  cursor, pattern, prefix, how many are wanted
--
-- Returns {cursor, {key as text, type, TTL in seconds}…}.

local reply = {ARGV[1]}
reply[1] = scan(ARGV[1], ARGV[2], tonumber(ARGV[4]), function(key)
  if not begins_with(key, ARGV[3]) then return false end
  reply[#reply + 1] = {told(key), call('TYPE', key).ok, call('TTL', key)}
  return true
end)
return reply
