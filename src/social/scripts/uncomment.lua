-- Deletes a comment.
--
-- KEYS  comment:<id>
-- ARGV  '', now, username, authority, comment id
--
-- Returns {'ok'}, {'no_comment'} or {'forbidden'}.

local username, authority, comment = ARGV[3], ARGV[4], ARGV[5]

local fields = call('HMGET', 'comment:' .. comment, 'post_id', 'user_id')
local post = fields[1] and find_post(fields[1])
-- A comment whose post or author is gone is only waiting to be swept away.
if not post or not user_exists(fields[2]) then return {'no_comment'} end
if fields[2] ~= username and post.username ~= username and not is_admin(authority, username) then
  return post.banned and {'no_comment'} or {'forbidden'}
end
delete_comment(comment, post.id, fields[2])
return {'ok'}
