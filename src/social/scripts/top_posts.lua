-- The best posts of several hashtags at a time.
--
-- KEYS  hashtag:<t>:ranked of each
-- ARGV  viewer | '', how many of each, the time, hashtag…
--
-- Returns {'ok', authors, posts of the first, posts of the second, …}.

local viewer, limit, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local all = new_page(viewer, true)
local reply = {'ok', all.authors}
for i = 4, #ARGV do
  all.posts = {}
  add_ranked(all, ARGV[i], now, 0, limit)
  reply[#reply + 1] = all.posts
end
return reply
