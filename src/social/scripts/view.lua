-- Counts a view.
--
-- KEYS  post:<id>
-- ARGV  '', now, username, authority, post id
--
-- Returns {'ok', viewsCount}, {'no_post'} or {'banned'}.

local username, authority, id = ARGV[3], ARGV[4], ARGV[5]

local post = find_post(id)
if not post then return {'no_post'} end
if post.banned then return refusal_of_banned(post, username, authority) end
return {'ok', call('HINCRBY', post_key(id), 'viewsCount', 1)}
