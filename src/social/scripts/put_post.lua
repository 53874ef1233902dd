-- Makes a post, or brings one that a backend syncs up to date.
--
-- KEYS  [the event], user:<u>, post:<id>, explore:feed, [the key of the Idempotency-Key]
-- ARGV  'once' | '', now, username, post id, 'create' | 'sync', content, hashtags,
--       'media' | '', media_url, created_at | '' (as it is, or now), 'idempotent' | ''
--
-- Returns {'ok', 'created' | 'updated' | 'unchanged', post, liked, bookmarked}, the last three not to a sync; {'seen'}, {'no_user'}, {'no_post'} (made once with this
-- Idempotency-Key, and deleted since), {'deleting'} or {'not_yours'}.

local now, username, id, syncs, content, hashtags = ARGV[2], ARGV[3], ARGV[4], ARGV[5] == 'sync', ARGV[6], ARGV[7]
local has_media, media_url, created_at = ARGV[8] == 'media', ARGV[9], ARGV[10]
local idempotency = ARGV[11] == 'idempotent' and KEYS[#KEYS]

-- The post as its author sees it; an earlier attempt may have been a while ago.
local function whole(status, post_id)
  return {'ok', status, call('HMGET', post_key(post_id), unpack(POST_FIELDS)),
    call('SISMEMBER', post_key(post_id, 'likes'), username), call('SISMEMBER', post_key(post_id, 'bookmarks'), username)}
end

-- Traces of a deleted post of this id that are still being swept away.
local function is_being_deleted()
  return call('EXISTS', post_key(id, 'likes'), post_key(id, 'bookmarks'), post_key(id, 'comments')) > 0
end

local function create()
  if is_being_deleted() then return {'deleting'} end
  if created_at == '' then created_at = now end
  call('HSET', post_key(id), 'id', id, 'user_id', username, 'username', username, 'content', content,
    'media_url', media_url, 'hashtags', hashtags, 'created_at', created_at,
    'likesCount', 0, 'commentsCount', 0, 'bookmarksCount', 0, 'viewsCount', 0)
  copy_author(id, username)
  publish(load_post(id), now)
  if idempotency then call('SET', idempotency, id, 'EX', 86400) end
  return syncs and {'ok', 'created'} or whole('created', id)
end

local function update(post)
  if post.username ~= username then return {'not_yours'} end
  local stored = call('HMGET', post_key(id), 'content', 'hashtags', 'media_url', 'created_at')
  if not has_media then media_url = stored[3] end
  if created_at == '' then created_at = stored[4] end
  if stored[1] == content and stored[2] == hashtags and stored[3] == media_url and stored[4] == created_at then
    return {'ok', 'unchanged'}
  end
  if not post.banned then withdraw(post) end
  call('HSET', post_key(id), 'content', content, 'hashtags', hashtags, 'media_url', media_url, 'created_at', created_at)
  -- A change of names may just be on its way through the author's posts, and this one has changed its place.
  copy_author(id, username)
  post = load_post(id)
  if post.banned then
    call('ZADD', user_key(username, 'banned'), created_at, id)
  else
    publish(post, now)
  end
  return {'ok', 'updated'}
end

return once(function()
  if not may_write_as(username, now) then return {'no_user'} end
  local made = idempotency and call('GET', idempotency)
  if made then return find_post(made) and whole('unchanged', made) or {'no_post'} end
  local post = load_post(id)
  if not post then return create() end
  -- The id is this request's own: what is there was made by its first attempt.
  if not syncs then return whole('unchanged', id) end
  return update(post)
end)
