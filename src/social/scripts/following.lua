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

-- Puts the stream's next post in its place.
local function advance(stream)
  if stream.at > #stream.ahead then
    stream.rank = stream.rank or rank_after(stream.key, string.format('%.17g', stream.score), stream.id)
    stream.ahead = call('ZREVRANGE', stream.key, stream.rank, stream.rank + AHEAD - 1, 'WITHSCORES')
    stream.rank, stream.at = stream.rank + AHEAD, 1
    if #stream.ahead == 0 then return end
  end
  stream.id, stream.score = stream.ahead[stream.at], tonumber(stream.ahead[stream.at + 1])
  stream.at = stream.at + 2
  insert(streams, stream, is_newer, most)
end

-- The first post of an author that comes after the cursor, and the rank behind it, if it is known.
local function head_of(key)
  if score == '' then return call('ZREVRANGE', key, 0, 0, 'WITHSCORES'), 1 end
  local head = call('ZREVRANGEBYSCORE', key, score, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if head[2] ~= score then return head end
  local rank = rank_after(key, score, id)
  return call('ZREVRANGE', key, rank, rank, 'WITHSCORES'), rank + 1
end

for _, author in ipairs(call('SMEMBERS', KEYS[2])) do
  local key = user_key(author, 'posts')
  local head, rank = head_of(key)
  if head[1] then
    local stream = {author = author, key = key, id = head[1], score = tonumber(head[2]), rank = rank, ahead = {}, at = 1}
    insert(streams, stream, is_newer, most)
  end
end

local page, skip = new_page(viewer, wants_users), offset
while #streams > 0 and #page.posts < limit do
  local stream = table.remove(streams, 1)
  if skip > 0 then
    skip = skip - 1
    advance(stream)
  elseif author_number(page, stream.author) then
    if add_post(page, stream.id) then score, id = string.format('%.17g', stream.score), stream.id end
    advance(stream)
  end
  -- Else the author is gone, and so are all posts of theirs.
end
return {'ok', -1, #streams > 0 and 1 or 0, score, id, page.posts, page.authors}
