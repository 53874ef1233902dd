-- Deletes a post.
--
-- KEYS  [the event], post:<id>, explore:feed
-- ARGV  'once' | '', now, username, authority, post id
--
-- Returns {'ok', '1' when no trace is left}, {'seen'}, {'absent'}, {'no_post'} or {'forbidden'}.

local now, username, authority, id = ARGV[2], ARGV[3], ARGV[4], ARGV[5]

return once(function()
  local post = find_post(id)
  if not post then return {'no_post'} end
  if post.username ~= username and authority ~= 'backend' and not is_admin(authority, username) then
    return post.banned and {'no_post'} or {'forbidden'}
  end
  return {'ok', delete_post(post, now)}
end, authority == 'backend')
