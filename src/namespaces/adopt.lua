-- Renames keys into a namespace, each of them only if its new name is free, and lets those expire that never would.
--
-- ARGV  prefix, then for each key: the key as text, in how many seconds it is to expire ('': never)
--
-- Returns for each key: its TTL in seconds (-1: none), or 'gone' or 'exists' if it was not renamed.

local reply = {}
for index = 2, #ARGV, 2 do
  local from, seconds = heard(ARGV[index]), ARGV[index + 1]
  local to = ARGV[1] .. from
  if call('EXISTS', from) == 0 then
    reply[#reply + 1] = 'gone'
  elseif call('RENAMENX', from, to) == 0 then
    reply[#reply + 1] = 'exists'
  else
    if seconds ~= '' and call('TTL', to) == -1 then call('EXPIRE', to, seconds) end
    reply[#reply + 1] = call('TTL', to)
  end
end
return reply
