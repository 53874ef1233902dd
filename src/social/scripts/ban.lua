-- Bans a post, or lifts the ban.
--
-- KEYS  post:<id>, explore:feed, posts:banned
-- ARGV  '', now, username, authority, post id, 'on' | 'off'
--
-- Returns {'ok', changed, '1' when every list is right}, {'no_post'} or {'forbidden'}.

local now, username, authority, id, on = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6] == 'on'

if not is_admin(authority, username) then return {'forbidden'} end
local post = find_post(id)
if not post then return {'no_post'} end
if post.banned == on then return {'ok', 0, '1'} end
if on then
  withdraw(post)
  call('HSET', post_key(id), 'banned', 'true', 'banned_at', now, 'banned_by', username)
  call('ZADD', user_key(post.username, 'banned'), post.created_at, id)
  call('ZADD', 'posts:banned', now, id)
else
  call('HDEL', post_key(id), 'banned', 'banned_at', 'banned_by')
  call('ZREM', user_key(post.username, 'banned'), id)
  call('ZREM', 'posts:banned', id)
  post.banned = false
  publish(post, now)
end
-- A change of names may just be on its way through the author's lists, and this post has changed lists.
copy_author(id, post.username)
call('DEL', 'job:ban:' .. id)
return {'ok', 1, settle_job('ban:' .. id, move_reactions(id, on), now)}
