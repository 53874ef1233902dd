-- Likes, bookmarks, and takes either back.
--
-- KEYS  [the event], user:<u>, post:<id>
-- ARGV  'once' | '', now, username, authority, post id, 'like' | 'bookmark', 'on' | 'off'
--
-- Returns {'ok', changed, count}, {'seen'}, {'absent'}, {'no_user'}, {'no_post'} or {'banned'}.

local now, username, authority, id, reaction, on = ARGV[2], ARGV[3], ARGV[4], ARGV[5], REACTIONS[ARGV[6]], ARGV[7] == 'on'

return once(function()
  if not may_write_as(username, now) then return {'no_user'} end
  local post = find_post(id)
  if not post then return {'no_post'} end
  local set, list = post_key(id, reaction.set), user_key(username, reaction.list)
  local count = tonumber(call('HGET', post_key(id), reaction.counter)) or 0
  local is_on = call('SISMEMBER', set, username) == 1
  -- What a backend says has happened, whatever has become of the post since.
  if post.banned and authority ~= 'backend' then return refusal_of_banned(post, username, authority) end
  if is_on == on then return {'ok', 0, count} end
  if on then
    call('SADD', set, username)
    call('ZADD', post.banned and list .. ASIDE or list, now, id)
  else
    call('SREM', set, username)
    call('ZREM', list, id)
    call('ZREM', list .. ASIDE, id)
  end
  return {'ok', 1, count_on_post(post, reaction.counter, on and 1 or -1)}
end, authority == 'backend' and not on)
