-- Follows, and takes it back.
--
-- KEYS  [the event], user:<follower>, user:<followed>
-- ARGV  'once' | '', now, follower, followed, 'on' | 'off', the most that one may follow, authority
--
-- Returns {'ok', changed}, {'seen'}, {'absent'}, {'no_user'} or {'full'}.

local now, follower, followed, on, most, authority = ARGV[2], ARGV[3], ARGV[4], ARGV[5] == 'on', tonumber(ARGV[6]), ARGV[7]

return once(function()
  if not may_write_as(follower, now) or not user_exists(followed) then return {'no_user'} end
  local following, followers = user_key(follower, 'following'), user_key(followed, 'followers')
  local is_on = call('SISMEMBER', following, followed) == 1
  if is_on == on then return {'ok', 0} end
  if on then
    if call('SCARD', following) >= most then return {'full'} end
    call('SADD', following, followed)
    call('SADD', followers, follower)
    call('ZADD', following .. ':since', now, followed)
    call('ZADD', followers .. ':since', now, follower)
  else
    call('SREM', following, followed)
    call('SREM', followers, follower)
    call('ZREM', following .. ':since', followed)
    call('ZREM', followers .. ':since', follower)
  end
  local by = on and 1 or -1
  call('HINCRBY', user_key(follower), 'followingCount', by)
  call('HINCRBY', user_key(followed), 'followerCount', by)
  return {'ok', 1}
end, authority == 'backend' and not on)
