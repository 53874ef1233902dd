-- Names of keys, and what every script asks about users and posts.

local call = redis.call

local SYNC_USER = 'xano_sync'
-- All that a post is made of. `post.rs` reads them in this order.
local POST_FIELDS = {
  'id', 'user_id', 'username', 'avatar', 'display_name', 'user_role', 'content', 'media_url', 'hashtags', 'created_at',
  'likesCount', 'commentsCount', 'bookmarksCount', 'viewsCount', 'banned', 'banned_at', 'banned_by',
}

local function user_key(username, part)
  return part and 'user:' .. username .. ':' .. part or 'user:' .. username
end

local function post_key(id, part)
  return part and 'post:' .. id .. ':' .. part or 'post:' .. id
end

local function hashtag_key(tag, part)
  return 'hashtag:' .. tag .. ':' .. part
end

-- A hash without `username` is no profile.
local function user_exists(username)
  return call('HEXISTS', user_key(username), 'username') == 1
end

-- 'admin' and 'user' are a caller's own word, checked at the edge; 'stored' asks the profile of the one who is acted as.
local function is_admin(authority, username)
  if authority ~= 'stored' then return authority == 'admin' end
  local fields = call('HMGET', user_key(username), 'username', 'role')
  return fields[1] and fields[2] == 'admin'
end

local function tags_of(hashtags)
  return string.gmatch(hashtags, '[^,]+')
end

-- Whether a > b byte by byte, as sorted sets order members of equal score. Lua's own `>` asks the server's locale.
local function is_after(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x > y end
  end
  return #a > #b
end

-- What deciding about a post takes; nil if there is none, or if its author is gone and it is only waiting to be swept away.
local function load_post(id)
  local fields = call('HMGET', post_key(id), 'username', 'hashtags', 'created_at', 'likesCount', 'commentsCount',
    'bookmarksCount', 'banned')
  if not fields[1] then return nil end
  return {
    id = id,
    username = fields[1],
    hashtags = fields[2] or '',
    created_at = fields[3] or '0',
    engagement = (tonumber(fields[4]) or 0) * 3 + (tonumber(fields[5]) or 0) * 5 + (tonumber(fields[6]) or 0) * 4,
    banned = fields[7] == 'true',
  }
end

local function find_post(id)
  local post = load_post(id)
  return post and user_exists(post.username) and post or nil
end

-- The answer for a banned post: nobody else is to know that it exists.
local function refusal_of_banned(post, username, authority)
  if post.username == username or is_admin(authority, username) then return {'banned'} end
  return {'no_post'}
end

-- The rank, highest first, of the first member that comes after (score, member). The member itself need not be there.
local function rank_after(key, score, member)
  local low = call('ZCOUNT', key, '(' .. score, '+inf')
  local high = low + call('ZCOUNT', key, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local there = call('ZREVRANGE', key, middle, middle)[1]
    if is_after(member, there) then high = middle else low = middle + 1 end
  end
  return low
end
