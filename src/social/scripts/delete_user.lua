-- Deletes a user: at once the profile, which takes the user out of every feed, and then all that they left.
--
-- KEYS  [the event], user:<u>, users:regular, users:models
-- ARGV  'once' | '', now, username, caller, authority
--
-- Returns {'ok', '1' when no trace is left, how many posts are deleted}, {'seen'}, {'absent'}, {'no_user'} or {'forbidden'}.

local now, username, caller, authority = ARGV[2], ARGV[3], ARGV[4], ARGV[5]

return once(function()
  if caller ~= username and authority ~= 'backend' and not is_admin(authority, caller) then return {'forbidden'} end
  if not user_exists(username) then return {'no_user'} end
  local posts = call('ZCARD', user_key(username, 'posts')) + call('ZCARD', user_key(username, 'banned'))
  -- First of all, so that whatever stops the script from here on, somebody completes it.
  leave_job('delete-user:' .. username, now)
  call('SET', user_key(username, 'deleting'), now)
  call('DEL', user_key(username))
  for _, registry in ipairs({'users:regular', 'users:models', 'models:top:engagement', 'authors:engagement'}) do
    call('ZREM', registry, username)
  end
  end_job('rename:' .. username)
  return {'ok', continue_deletion(username, now), posts}
end, authority == 'backend')
