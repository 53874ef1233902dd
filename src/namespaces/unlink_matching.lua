-- Deletes the keys of a namespace that match, in one slice of all keys.
--
-- ARGV  cursor, pattern, prefix
--
-- Returns {cursor, how many were deleted}.

local found = {}
local cursor = scan(ARGV[1], ARGV[2], MOST_TOUCHED, function(key)
  if not begins_with(key, ARGV[3]) then return false end
  found[#found + 1] = key
  return true
end)
local deleted = 0
-- Lua's stack takes 8,000 values in one call, and a table that shrinks may bring more keys than were asked for.
for first = 1, #found, 1000 do
  deleted = deleted + call('UNLINK', unpack(found, first, math.min(first + 999, #found)))
end
return {cursor, deleted}
