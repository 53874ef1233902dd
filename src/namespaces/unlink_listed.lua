-- Deletes keys.
--
-- ARGV  keys as text…
--
-- Returns how many were deleted.

local deleted = 0
for _, text in ipairs(ARGV) do
  deleted = deleted + call('UNLINK', heard(text))
end
return deleted
