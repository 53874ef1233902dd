-- Compares what is counted with what there is, one slice of the keys after another.
--
-- KEYS  reconcile:cursor
-- ARGV  '', now, 'report' | 'mend', cursor ('0' is the beginning, '' is where the last slice ended that was called so)
--
-- Returns {'ok', cursor ('0' is the end), users and posts checked, {key, field, stored, counted}…}.

local now, mends, cursor = ARGV[2], ARGV[3] == 'mend', ARGV[4]
local keeps_cursor = cursor == ''
if keeps_cursor then cursor = call('GET', KEYS[1]) or '0' end
-- Adding up the engagement of an author of more posts than this would take more than a slice.
local MOST_POSTS = 300
local PIECE = 50

local checked, differences = 0, {}

-- Notes a difference, if it is one, and mends it.
local function compare(key, field, stored, counted, mend)
  stored, counted = stored or '', counted or ''
  if tostring(stored) == tostring(counted) then return end
  differences[#differences + 1] = {key, field, tostring(stored), tostring(counted)}
  if mends then mend(counted) end
end

local function compare_counter(key, field, counted)
  budget = budget - 1
  compare(key, field, call('HGET', key, field) or '0', counted, function() call('HSET', key, field, counted) end)
end

-- Where a member should stand in a sorted set, or '' that it should not.
local function compare_place(list, member, score)
  budget = budget - 1
  compare(list, member, call('ZSCORE', list, member), score, function()
    if score == '' then call('ZREM', list, member) else call('ZADD', list, score, member) end
  end)
end

-- A post's counters as they should be, and the engagement that follows from them.
local function count_post(id)
  local likes, comments = call('SCARD', post_key(id, 'likes')), call('ZCARD', post_key(id, 'comments'))
  local bookmarks = call('SCARD', post_key(id, 'bookmarks'))
  budget = budget - 3
  return {likesCount = likes, commentsCount = comments, bookmarksCount = bookmarks},
    likes * WEIGHT.likesCount + comments * WEIGHT.commentsCount + bookmarks * WEIGHT.bookmarksCount
end

local function engagement_of(username)
  local sum = 0
  for _, id in ipairs(call('ZRANGE', user_key(username, 'posts'), 0, -1)) do
    local _, engagement = count_post(id)
    sum = sum + engagement
  end
  return sum > 0 and sum or ''
end

local function check_user(username)
  local key = user_key(username)
  local fields = call('HMGET', key, 'username', 'role', 'created_at')
  if not fields[1] then return end
  checked = checked + 1
  compare_counter(key, 'postCount', call('ZCARD', user_key(username, 'posts')))
  compare_counter(key, 'followerCount', call('SCARD', user_key(username, 'followers')))
  compare_counter(key, 'followingCount', call('SCARD', user_key(username, 'following')))
  compare_place('users:regular', username, fields[2] == 'user' and fields[3] or '')
  compare_place('users:models', username, fields[2] == 'model' and fields[3] or '')
  if call('ZCARD', user_key(username, 'posts')) <= MOST_POSTS then
    local sum = engagement_of(username)
    compare_place('authors:engagement', username, sum)
    compare_place('models:top:engagement', username, fields[2] == 'model' and sum or '')
  end
end

local function check_post(id)
  local post = load_post(id)
  if not post then return end
  checked = checked + 1
  local key = post_key(id)
  if not user_exists(post.username) then
    if call('EXISTS', user_key(post.username, 'deleting')) == 0 then
      compare(key, 'username', post.username, '', function() delete_post(post, now) end)
    end
    return
  end
  local counters, engagement = count_post(id)
  for _, counter in ipairs({'likesCount', 'commentsCount', 'bookmarksCount'}) do
    compare_counter(key, counter, counters[counter])
  end
  compare_place(user_key(post.username, 'posts'), id, post.banned and '' or post.created_at)
  compare_place(user_key(post.username, 'banned'), id, post.banned and post.created_at or '')
  compare_place('explore:feed', id, post.banned and '' or post.created_at)
  for tag in tags_of(post.hashtags) do
    compare_place(hashtag_key(tag, 'posts'), id, post.banned and '' or post.created_at)
    compare_place(hashtag_key(tag, 'ranked'), id, post.banned and '' or engagement)
    for_rankings(tag, post.created_at, function(key, ends)
      if ends <= tonumber(now) then return end
      compare_place(key, id, post.banned and '' or engagement)
      if mends then call('PEXPIRE', key, string.format('%.0f', ends - now), 'NX') end
    end)
  end
end

local TRACES = {likes = 'set', bookmarks = 'set', comments = 'zset'}

-- What is left of a post that is gone, and that no job is about to sweep away.
local function check_trace(id, part, key)
  if call('TYPE', key).ok ~= TRACES[part] or call('EXISTS', post_key(id)) == 1 then return end
  if call('ZSCORE', 'jobs:pending', 'delete-post:' .. id) then return end
  compare(key, 'post', id, '', function() leave_job('delete-post:' .. id, now) end)
end

local function check_comment(id)
  local fields = call('HMGET', 'comment:' .. id, 'post_id', 'user_id')
  if not fields[1] or call('EXISTS', post_key(fields[1])) == 1 then return end
  if call('ZSCORE', 'jobs:pending', 'delete-post:' .. fields[1]) then return end
  compare('comment:' .. id, 'post', fields[1], '', function() delete_comment(id, fields[1], fields[2]) end)
end

local function check(key)
  local kind, name, part = string.match(key, '^(%a+):([^:]+):?(.*)$')
  if kind == 'user' and part == '' then check_user(name)
  elseif kind == 'post' and part == '' then check_post(name)
  elseif kind == 'post' and TRACES[part] then check_trace(name, part, key)
  elseif kind == 'comment' and part == '' then check_comment(name) end
end

repeat
  local page = call('SCAN', cursor, 'COUNT', PIECE)
  cursor = page[1]
  for _, key in ipairs(page[2]) do
    budget = budget - 1
    -- A key of somebody else's may have a name like ours; it is of another type then, and left alone.
    pcall(check, key)
  end
until cursor == '0' or budget <= 0

if keeps_cursor then call('SET', KEYS[1], cursor) end
return {'ok', cursor, checked, differences}
