-- Whose key a key is.

-- For prefixes, a function that gives the number of the one that a key begins with, or nil. None begins another.
local function owners(prefixes)
  local lengths, by_length = {}, {}
  for number, prefix in ipairs(prefixes) do
    if not by_length[#prefix] then
      lengths[#lengths + 1] = #prefix
      by_length[#prefix] = {}
    end
    by_length[#prefix][prefix] = number
  end
  return function(key)
    for _, length in ipairs(lengths) do
      local number = by_length[length][string.sub(key, 1, length)]
      if number then return number end
    end
  end
end
