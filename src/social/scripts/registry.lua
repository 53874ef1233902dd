-- Gives a profile what every profile has, and its place in the registry of its role. A hash without `username` is none.
local function register(key, now)
  local fields = redis.pcall('HMGET', key, 'username', 'role', 'created_at')
  if fields.err or not fields[1] then return end
  local username, role, created_at = fields[1], fields[2], fields[3]
  if not role then
    role = 'user'
    redis.call('HSET', key, 'role', role)
  end
  if not created_at or not string.find(created_at, '^-?%d+$') then
    created_at = now
    redis.call('HSET', key, 'created_at', created_at)
  end
  if role == 'user' then
    redis.call('ZADD', 'users:regular', created_at, username)
  else
    redis.call('ZREM', 'users:regular', username)
  end
  if role == 'model' then
    redis.call('ZADD', 'users:models', created_at, username)
    local engagement = redis.call('ZSCORE', 'authors:engagement', username)
    if engagement then redis.call('ZADD', 'models:top:engagement', engagement, username) end
  else
    redis.call('ZREM', 'users:models', username)
    redis.call('ZREM', 'models:top:engagement', username)
  end
end
