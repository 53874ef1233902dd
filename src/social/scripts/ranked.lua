-- A page of a hashtag's posts, best first at a time.
--
-- KEYS  hashtag:<t>:posts, hashtag:<t>:ranked
-- ARGV  viewer | '', 'users' | '', limit, first place, the time, hashtag
--
-- Returns {'ok', total, more, the next page's first place, posts, authors}.

local viewer, wants_users, limit, place = ARGV[1], ARGV[2] == 'users', tonumber(ARGV[3]), tonumber(ARGV[4])
local now, tag = tonumber(ARGV[5]), ARGV[6]
local page, more = new_page(viewer, wants_users), 0
place, more = add_ranked(page, tag, now, place, limit)
return {'ok', call('ZCARD', KEYS[1]), more, place, page.posts, page.authors}
