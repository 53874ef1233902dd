-- A page of a chronological feed.
--
-- KEYS  the feed
-- ARGV  viewer | '', 'users' | '', limit, offset, score and id of the cursor | '', '', the user whose feed it is | ''
--
-- Returns {'ok', total, more, score and id that the page ends with, posts, authors} or {'no_user'}.

local viewer, wants_users, limit, owner = ARGV[1], ARGV[2] == 'users', tonumber(ARGV[3]), ARGV[7]
if owner ~= '' and not user_exists(owner) then return {'no_user'} end
local page = new_page(viewer, wants_users)
local rank = first_rank(KEYS[1], ARGV[4], ARGV[5], ARGV[6])
local score, id, more = walk(KEYS[1], rank, limit, function(id) return add_post(page, id) end)
return {'ok', call('ZCARD', KEYS[1]), more, score, id, page.posts, page.authors}
