-- A page of the posts of those whom a user follows: a merge from the newest post of each. Who has a million posts costs no
-- more than who has ten.
--
-- KEYS  user:<u>, user:<u>:following
-- ARGV  viewer, 'users' | '', limit, offset, score and id of the cursor | '', ''
--
-- Returns {'ok', -1, more, score and id that the page ends with, posts, authors}.

local viewer, wants_users, limit, offset = ARGV[1], ARGV[2] == 'users', tonumber(ARGV[3]), tonumber(ARGV[4])
local score, id = ARGV[5], ARGV[6]
-- How many posts of one author are fetched at a time, once the newest was used up.
local AHEAD = 10
-- Places beyond the page, for authors who are just being deleted.
local SPARE = 20

local function is_newer(a, b)
  if a.score ~= b.score then return a.score > b.score end
  return is_after(a.id, b.id)
end

-- The streams with the newest posts, newest first; `most` of them can fill a page.
local streams, most = {}, offset + limit + 1 + SPARE

local function insert(stream)
  if #streams >= most and not is_newer(stream, streams[#streams]) then return end
  local low, high = 1, #streams + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_newer(stream, streams[middle]) then high = middle else low = middle + 1 end
  end
  table.insert(streams, low, stream)
  if #streams > most then streams[#streams] = nil end
end

-- Puts the stream's next post in its place.
local function advance(stream)
  if stream.at > #stream.ahead then
    stream.ahead = call('ZREVRANGE', stream.key, stream.rank, stream.rank + AHEAD - 1, 'WITHSCORES')
    stream.rank, stream.at = stream.rank + AHEAD, 1
    if #stream.ahead == 0 then return end
  end
  stream.id, stream.score = stream.ahead[stream.at], tonumber(stream.ahead[stream.at + 1])
  stream.at = stream.at + 2
  insert(stream)
end

for _, author in ipairs(call('SMEMBERS', KEYS[2])) do
  local key = user_key(author, 'posts')
  local rank = score == '' and 0 or rank_after(key, score, id)
  local head = call('ZREVRANGE', key, rank, rank, 'WITHSCORES')
  if head[1] then
    insert({author = author, key = key, id = head[1], score = tonumber(head[2]), rank = rank + 1, ahead = {}, at = 1})
  end
end

local page, skip = new_page(viewer, wants_users), offset
while #streams > 0 and #page.posts < limit do
  local stream = table.remove(streams, 1)
  -- All posts of an author who is gone are.
  if author_number(page, stream.author) then
    local shown = true
    if skip > 0 then
      skip = skip - 1
    else
      shown = add_post(page, stream.id)
    end
    if shown then score, id = string.format('%.17g', stream.score), stream.id end
    advance(stream)
  end
end
return {'ok', -1, #streams > 0 and 1 or 0, score, id, page.posts, page.authors}
