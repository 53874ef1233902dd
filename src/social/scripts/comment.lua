-- Comments on a post.
--
-- KEYS  user:<u>, post:<id>, comment:<comment id>
-- ARGV  '', now, username, authority, post id, comment id, content
--
-- Returns {'ok', profile}, {'no_user'}, {'no_post'} or {'banned'}.

local now, username, authority, id, comment, content = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]

if not may_write_as(username, now) then return {'no_user'} end
local post = find_post(id)
if not post then return {'no_post'} end
if post.banned then return refusal_of_banned(post, username, authority) end
-- The comment id is this request's own: if it is there, it was made by its first attempt.
if call('EXISTS', 'comment:' .. comment) == 0 then
  call('HSET', 'comment:' .. comment, 'id', comment, 'post_id', id, 'user_id', username, 'content', content, 'created_at', now)
  call('ZADD', post_key(id, 'comments'), now, comment)
  call('ZADD', user_key(username, 'comments'), now, comment)
  count_on_post(post, 'commentsCount', 1)
end
return {'ok', call('HGETALL', user_key(username))}
