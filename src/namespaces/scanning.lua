-- What the scripts share that go through all keys: one slice of them a call, and keys that travel as text.

local call = redis.call

-- A slice looks at so many keys, or touches about so many of them: two or three milliseconds.
local MOST_LOOKED_AT, MOST_TOUCHED = 2000, 1000
-- One SCAN looks at so many at least, or it would be called too often.
local LEAST_STEP = 10

-- Shows `visit` the keys that match, from a cursor on, until it has taken as many as are wanted, at most MOST_TOUCHED, or
-- the slice is over. Returns where to go on, '0' at the end. SCAN cannot be stopped within a step, so some more may be taken.
local function scan(cursor, match, wanted, visit)
  local looked, taken = 0, 0
  repeat
    local step = math.max(LEAST_STEP, wanted - taken)
    local page = call('SCAN', cursor, 'MATCH', match, 'COUNT', step)
    cursor, looked = page[1], looked + step
    for _, key in ipairs(page[2]) do
      if visit(key) then taken = taken + 1 end
    end
  until cursor == '0' or taken >= wanted or looked >= MOST_LOOKED_AT
  return cursor
end

local function begins_with(key, prefix)
  return string.sub(key, 1, #prefix) == prefix
end

-- A key as text. Bytes beyond ASCII may be no UTF-8, and would not come through JSON: such a key goes in hexadecimal.
local function told(key)
  if not string.find(key, '[\128-\255]') then return '=' .. key end
  return 'x' .. string.gsub(key, '.', function(byte) return string.format('%02x', string.byte(byte)) end)
end

-- The key of such a text.
local function heard(text)
  local kind, rest = string.sub(text, 1, 1), string.sub(text, 2)
  if kind == '=' then return rest end
  return (string.gsub(rest, '..', function(digits) return string.char(tonumber(digits, 16)) end))
end
