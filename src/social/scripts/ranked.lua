-- A page of a hashtag's posts, best first at a time.
--
-- KEYS  hashtag:<t>:posts, hashtag:<t>:ranked
-- ARGV  viewer | '', 'users' | '', limit, first place, the time, hashtag
--
-- Returns {'ok', total, more, the next page's first place, posts, authors}.

local viewer, wants_users, limit, place = ARGV[1], ARGV[2] == 'users', tonumber(ARGV[3]), tonumber(ARGV[4])
local now, tag = tonumber(ARGV[5]), ARGV[6]
-- More places are ranked only if posts that are just being deleted leave the page short.
local page, wanted, more, ids = new_page(viewer, wants_users), place + limit, 0, nil
repeat
  ids = rank_posts(tag, now, wanted + 1)
  while #page.posts < limit and place < math.min(wanted, #ids) do
    place = place + 1
    add_post(page, ids[place])
  end
  more = #ids > place and 1 or 0
  wanted = wanted + limit
until #page.posts == limit or more == 0 or wanted > place + PATIENCE
return {'ok', call('ZCARD', KEYS[1]), more, place, page.posts, page.authors}
