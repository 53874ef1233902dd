-- A page of a post's comments, newest first.
--
-- KEYS  post:<id>, post:<id>:comments
-- ARGV  viewer, 'users' | '', limit, offset, score and id of the cursor | '', '', authority, post id
--
-- Returns {'ok', total, more, score and id that the page ends with, {comment, author}…, authors} or {'no_post'}.

local viewer, wants_users, limit, authority, id = ARGV[1], ARGV[2] == 'users', tonumber(ARGV[3]), ARGV[7], ARGV[8]
local post = find_post(id)
if not post then return {'no_post'} end
if post.banned and refusal_of_banned(post, viewer, authority)[1] == 'no_post' then return {'no_post'} end
local page, comments = new_page(viewer, wants_users), {}

local function take(comment)
  local fields = call('HMGET', 'comment:' .. comment, 'id', 'post_id', 'user_id', 'content', 'created_at')
  local author = fields[1] and author_number(page, fields[3])
  if not author then return false end
  comments[#comments + 1] = {fields, author}
  return true
end

local rank = first_rank(KEYS[2], ARGV[4], ARGV[5], ARGV[6])
local score, last, more = walk(KEYS[2], rank, limit, take)
return {'ok', call('ZCARD', KEYS[2]), more, score, last, comments, page.authors}
