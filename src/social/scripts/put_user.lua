-- Makes a profile or changes one.
--
-- KEYS  [the event], user:<u>, users:regular, users:models
-- ARGV  'once' | '', now, username, 'patch' | 'replace' | 'merge', 'admin' if only an administrator may do this | '',
--       caller, authority, how many fields are set, field, value, …, fields that are removed…
--       patch changes who is there; replace and merge make who is not; replace removes what is not set.
--
-- Returns {'ok', 'created' | 'updated' | 'unchanged', '1' when no post waits for new names, whether the caller follows,
-- profile}, the last two not to a backend; {'seen'}, {'no_user'}, {'forbidden'} or {'deleting'}.

local now, username, mode, needs_admin = ARGV[2], ARGV[3], ARGV[4], ARGV[5] == 'admin'
local caller, authority, count = ARGV[6], ARGV[7], tonumber(ARGV[8])
local key = user_key(username)
local KEPT = {
  username = true, role = true, created_at = true, postCount = true, followerCount = true, followingCount = true,
}
-- What posts repeat of their author.
local COPIED = {display_name = true, avatar = true, role = true}

local function set_fields()
  local fields = {}
  for i = 9, 7 + 2 * count, 2 do fields[ARGV[i]] = ARGV[i + 1] end
  return fields
end

local function removed_fields(fields)
  local removed = {}
  for i = 9 + 2 * count, #ARGV do removed[#removed + 1] = ARGV[i] end
  if mode == 'replace' then
    for _, field in ipairs(call('HKEYS', key)) do
      if not fields[field] and not KEPT[field] then removed[#removed + 1] = field end
    end
  end
  return removed
end

-- Applies the fields. Returns whether anything changed, and whether that reaches the posts.
local function apply(fields)
  local changed, reaches_posts = false, false
  for field, value in pairs(fields) do
    if call('HGET', key, field) ~= value then
      call('HSET', key, field, value)
      changed, reaches_posts = true, reaches_posts or COPIED[field]
    end
  end
  for _, field in ipairs(removed_fields(fields)) do
    if call('HDEL', key, field) == 1 then
      changed, reaches_posts = true, reaches_posts or COPIED[field]
    end
  end
  return changed, reaches_posts
end

local function create(fields)
  -- Nobody but the API keys' own user is made by a change, nor brings themselves back by a token of before they were deleted.
  local is_own = caller == username and authority ~= 'backend'
  if (mode == 'patch' or is_own) and username ~= SYNC_USER then return {'no_user'} end
  if call('EXISTS', user_key(username, 'deleting')) == 1 then return {'deleting'} end
  call('HSET', key, 'username', username, 'postCount', 0, 'followerCount', 0, 'followingCount', 0)
  if username == SYNC_USER then call('HSET', key, 'role', 'admin') end
  apply(fields)
  register(key, now)
  return {'ok', 'created', '1'}
end

local function update(fields)
  local changed, reaches_posts = apply(fields)
  if not changed then return {'ok', 'unchanged', '1'} end
  register(key, now)
  if not reaches_posts then return {'ok', 'updated', '1'} end
  call('DEL', 'job:rename:' .. username)
  return {'ok', 'updated', settle_job('rename:' .. username, rename_posts(username), now)}
end

return once(function()
  if needs_admin and authority ~= 'backend' and not is_admin(authority, caller) then return {'forbidden'} end
  local fields = set_fields()
  local reply = user_exists(username) and update(fields) or create(fields)
  if reply[1] == 'ok' and authority ~= 'backend' then
    reply[4] = call('SISMEMBER', user_key(caller, 'following'), username)
    reply[5] = call('HGETALL', key)
  end
  return reply
end)
