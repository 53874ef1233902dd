-- What writes share: counting, feeds, and work that may be larger than one script should be.

local WEIGHT = {likesCount = 3, commentsCount = 5, bookmarksCount = 4}
local REACTIONS = {
  like = {set = 'likes', list = 'liked', counter = 'likesCount'},
  bookmark = {set = 'bookmarks', list = 'bookmarked', counter = 'bookmarksCount'},
}
-- Where an entry of a list waits while its post is banned.
local ASIDE = ':banned'

-- What a script may touch before it leaves the rest to the next step: 1,000 keys take about 3 ms.
local budget = 1000
local CHUNK = 100

-- Beside the ranking of all time, a post stands in one of its hour and one of its day, which go when nobody looks there any
-- more: ranking.lua says what for.
local RANKINGS = {{'h', 3600000, 48 * 3600000}, {'d', 86400000, 15 * 86400000}}

local function for_rankings(tag, created_at, visit)
  for _, kind in ipairs(RANKINGS) do
    local number = math.floor(created_at / kind[2])
    visit(hashtag_key(tag, 'ranked:' .. kind[1] .. number), (number + 1) * kind[2] + kind[3])
  end
end

-- Moves a post within its hashtags' rankings.
local function rank_higher(post, change)
  for tag in tags_of(post.hashtags) do
    call('ZADD', hashtag_key(tag, 'ranked'), 'XX', 'INCR', change, post.id)
    for_rankings(tag, post.created_at, function(key) call('ZADD', key, 'XX', 'INCR', change, post.id) end)
    budget = budget - 3
  end
end

-- The caller's profile must exist; that of the API keys' own user is made when it is first needed.
local function may_write_as(username, now)
  if user_exists(username) then return true end
  if username ~= SYNC_USER or call('EXISTS', user_key(username, 'deleting')) == 1 then return false end
  call('HSET', user_key(username), 'username', username, 'role', 'admin', 'created_at', now,
    'postCount', 0, 'followerCount', 0, 'followingCount', 0)
  return true
end

-- A counter of someone who is gone is nobody's.
local function count_for_user(username, counter, by)
  if user_exists(username) then call('HINCRBY', user_key(username), counter, by) end
end

local function add_engagement(author, change)
  if change == 0 then return end
  local sum = tonumber(call('ZINCRBY', 'authors:engagement', change, author))
  if sum <= 0 then
    call('ZREM', 'authors:engagement', author)
    call('ZREM', 'models:top:engagement', author)
  elseif call('HGET', user_key(author), 'role') == 'model' then
    call('ZADD', 'models:top:engagement', sum, author)
  end
end

-- Counts an interaction up or down, with all that follows from the post's engagement. Returns the count.
local function count_on_post(post, counter, by)
  local counted = call('HINCRBY', post_key(post.id), counter, by)
  if not post.banned then
    local change = by * WEIGHT[counter]
    rank_higher(post, change)
    add_engagement(post.username, change)
  end
  return counted
end

-- Into every feed.
local function publish(post, now)
  now = tonumber(now)
  call('ZADD', user_key(post.username, 'posts'), post.created_at, post.id)
  call('ZADD', 'explore:feed', post.created_at, post.id)
  for tag in tags_of(post.hashtags) do
    call('ZADD', hashtag_key(tag, 'posts'), post.created_at, post.id)
    call('ZADD', hashtag_key(tag, 'ranked'), post.engagement, post.id)
    for_rankings(tag, post.created_at, function(key, ends)
      if ends <= now then return end
      call('ZADD', key, post.engagement, post.id)
      call('PEXPIRE', key, string.format('%.0f', ends - now), 'NX')
    end)
  end
  count_for_user(post.username, 'postCount', 1)
  add_engagement(post.username, post.engagement)
end

-- Out of every feed.
local function withdraw(post)
  call('ZREM', user_key(post.username, 'posts'), post.id)
  call('ZREM', 'explore:feed', post.id)
  for tag in tags_of(post.hashtags) do
    call('ZREM', hashtag_key(tag, 'posts'), post.id)
    call('ZREM', hashtag_key(tag, 'ranked'), post.id)
    for_rankings(tag, post.created_at, function(key) call('ZREM', key, post.id) end)
    budget = budget - 4
  end
  count_for_user(post.username, 'postCount', -1)
  add_engagement(post.username, -post.engagement)
  budget = budget - 5
end

-- What a post repeats of its author's profile.
local function copy_author(id, username)
  local fields = call('HMGET', user_key(username), 'avatar', 'display_name', 'role')
  call('HSET', post_key(id), 'avatar', fields[1] or '', 'display_name', fields[2] or '', 'user_role', fields[3] or 'user')
end

-- Work for later: `jobs:pending` names it, `job:<name>` holds how far it is. Both go when it is done.
local function leave_job(job, now)
  call('ZADD', 'jobs:pending', 'NX', now, job)
end

local function end_job(job)
  call('ZREM', 'jobs:pending', job)
  call('DEL', 'job:' .. job)
end

-- Ends a job, or leaves it if there is more to do. Returns '1' when all is done.
local function settle_job(job, done, now)
  if done then end_job(job) else leave_job(job, now) end
  return done and '1' or ''
end

local function forget_reactions(id, reaction)
  local set = post_key(id, reaction.set)
  while budget > 0 do
    local names = call('SPOP', set, CHUNK)
    if #names == 0 then return true end
    for _, name in ipairs(names) do
      call('ZREM', user_key(name, reaction.list), id)
      call('ZREM', user_key(name, reaction.list .. ASIDE), id)
    end
    budget = budget - 2 * #names
  end
  return call('EXISTS', set) == 0
end

local function forget_comments(id)
  local list = post_key(id, 'comments')
  while budget > 0 do
    local ids = call('ZRANGE', list, 0, CHUNK - 1)
    if #ids == 0 then return true end
    for _, comment in ipairs(ids) do
      local author = call('HGET', 'comment:' .. comment, 'user_id')
      if author then call('ZREM', user_key(author, 'comments'), comment) end
      call('DEL', 'comment:' .. comment)
    end
    call('ZREM', list, unpack(ids))
    budget = budget - 2 * #ids
  end
  return call('EXISTS', list) == 0
end

-- What a deleted post has left behind. Returns whether nothing is left.
local function sweep_post(id)
  return forget_reactions(id, REACTIONS.like) and forget_reactions(id, REACTIONS.bookmark) and forget_comments(id)
end

-- Deletes a post: at once out of every feed, and then its traces.
local function delete_post(post, now)
  if post.banned then
    call('ZREM', user_key(post.username, 'banned'), post.id)
    call('ZREM', 'posts:banned', post.id)
  else
    withdraw(post)
  end
  call('DEL', post_key(post.id))
  end_job('ban:' .. post.id)
  budget = budget - 4
  return settle_job('delete-post:' .. post.id, sweep_post(post.id), now)
end

-- The run of the server: a cursor of SSCAN means something else to the next one, and to a replica that takes over.
local function server_run()
  return string.match(call('INFO', 'server'), 'run_id:(%w+)') or ''
end

-- Moves the entries of those who reacted aside, or back, as the post is banned or not. Returns whether all are moved.
local function move_reactions(id, banned)
  local state = 'job:ban:' .. id
  local progress = call('HMGET', state, 'phase', 'cursor', 'run')
  local phase, cursor = 'like', '0'
  if progress[1] and progress[3] == server_run() then phase, cursor = progress[1], progress[2] end
  while budget > 0 do
    local reaction = REACTIONS[phase]
    local from, to = reaction.list, reaction.list .. ASIDE
    if not banned then from, to = to, from end
    local page = call('SSCAN', post_key(id, reaction.set), cursor, 'COUNT', CHUNK)
    for _, name in ipairs(page[2]) do
      local since = call('ZSCORE', user_key(name, from), id)
      if since then
        call('ZREM', user_key(name, from), id)
        call('ZADD', user_key(name, to), since, id)
      end
    end
    budget = budget - 2 * #page[2] - 1
    cursor = page[1]
    if cursor == '0' and phase == 'bookmark' then return true end
    if cursor == '0' then phase = 'bookmark' end
  end
  call('HSET', state, 'phase', phase, 'cursor', cursor, 'run', server_run())
  return false
end

-- Brings new names to an author's posts, newest first. A post that is banned or put back meanwhile gets them then.
local function rename_posts(username)
  local state = 'job:rename:' .. username
  local progress = call('HMGET', state, 'list', 'score', 'id')
  local list, score, id = progress[1] or 'posts', progress[2], progress[3]
  while budget > 0 do
    local key = user_key(username, list)
    local start = score and rank_after(key, score, id) or 0
    local page = call('ZREVRANGE', key, start, start + CHUNK - 1, 'WITHSCORES')
    for i = 1, #page, 2 do
      copy_author(page[i], username)
      id, score = page[i], page[i + 1]
    end
    budget = budget - #page / 2 - 1
    if #page == 0 then
      if list == 'banned' then return true end
      list, score, id = 'banned', false, false
    end
  end
  call('DEL', state)
  call('HSET', state, 'list', list)
  if score then call('HSET', state, 'score', score, 'id', id) end
  return false
end

local function forget_own_posts(username, list, now)
  local key = user_key(username, list)
  while budget > 0 do
    local id = call('ZRANGE', key, 0, 0)[1]
    if not id then return true end
    local post = load_post(id)
    if post then delete_post(post, now) else call('ZREM', key, id) end
    budget = budget - 1
  end
  return call('EXISTS', key) == 0
end

local function forget_own_reactions(username, reaction, list)
  local key = user_key(username, list)
  while budget > 0 do
    local ids = call('ZRANGE', key, 0, CHUNK / 4 - 1)
    if #ids == 0 then return true end
    for _, id in ipairs(ids) do
      local removed = call('SREM', post_key(id, reaction.set), username)
      local post = removed == 1 and load_post(id)
      if post then count_on_post(post, reaction.counter, -1) end
      budget = budget - 5
    end
    call('ZREM', key, unpack(ids))
  end
  return call('EXISTS', key) == 0
end

local function delete_comment(comment, post_id, author)
  call('DEL', 'comment:' .. comment)
  call('ZREM', user_key(author, 'comments'), comment)
  local removed = call('ZREM', post_key(post_id, 'comments'), comment)
  local post = removed == 1 and load_post(post_id)
  if post then count_on_post(post, 'commentsCount', -1) end
  budget = budget - 6
end

local function forget_own_comments(username)
  local key = user_key(username, 'comments')
  while budget > 0 do
    local ids = call('ZRANGE', key, 0, CHUNK / 4 - 1)
    if #ids == 0 then return true end
    for _, comment in ipairs(ids) do
      local post_id = call('HGET', 'comment:' .. comment, 'post_id')
      if post_id then delete_comment(comment, post_id, username) else call('ZREM', key, comment) end
    end
  end
  return call('EXISTS', key) == 0
end

-- One side of the follows: `mine` is the user's set, `theirs` the other users', `counter` what theirs counts.
local function forget_follows(username, mine, theirs, counter)
  local key = user_key(username, mine)
  while budget > 0 do
    local names = call('SPOP', key, CHUNK / 2)
    if #names == 0 then
      call('DEL', key .. ':since')
      return true
    end
    for _, name in ipairs(names) do
      if call('SREM', user_key(name, theirs), username) == 1 then count_for_user(name, counter, -1) end
      call('ZREM', user_key(name, theirs .. ':since'), username)
    end
    call('ZREM', key .. ':since', unpack(names))
    budget = budget - 3 * #names
  end
  return call('EXISTS', key) == 0 and call('DEL', key .. ':since') >= 0
end

-- What a deleted user has left behind. Returns whether nothing is left.
local function sweep_user(username, now)
  return forget_own_posts(username, 'posts', now)
    and forget_own_posts(username, 'banned', now)
    and forget_own_reactions(username, REACTIONS.like, 'liked')
    and forget_own_reactions(username, REACTIONS.like, 'liked' .. ASIDE)
    and forget_own_reactions(username, REACTIONS.bookmark, 'bookmarked')
    and forget_own_reactions(username, REACTIONS.bookmark, 'bookmarked' .. ASIDE)
    and forget_own_comments(username)
    and forget_follows(username, 'following', 'followers', 'followerCount')
    and forget_follows(username, 'followers', 'following', 'followingCount')
end

-- Carries a deletion on; while it lasts, nobody can take the name.
local function continue_deletion(username, now)
  local done = sweep_user(username, now)
  if done then call('DEL', user_key(username, 'deleting')) end
  return settle_job('delete-user:' .. username, done, now)
end

-- Runs a write that may be an event: one that was seen within a day is not applied again, and the step that applies it is
-- the step that remembers it. What a backend wants gone and is not there is as it should be.
local function once(run, is_removal_of_backend)
  local event = ARGV[1] == 'once' and KEYS[1]
  if event and call('EXISTS', event) == 1 then return {'seen'} end
  local reply = run()
  if is_removal_of_backend and (reply[1] == 'no_user' or reply[1] == 'no_post') then reply = {'absent'} end
  if event and (reply[1] == 'ok' or reply[1] == 'absent') then call('SET', event, '1', 'EX', 86400) end
  return reply
end
