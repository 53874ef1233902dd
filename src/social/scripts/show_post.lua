-- One post. One that is banned is shown to its author and to administrators.
--
-- KEYS  post:<id>
-- ARGV  viewer, authority, post id
--
-- Returns {'ok', fields, liked, bookmarked, the author's profile} or {'no_post'}.

local viewer, authority, id = ARGV[1], ARGV[2], ARGV[3]
local fields = call('HMGET', post_key(id), unpack(POST_FIELDS))
local author = fields[1] and load_profile(fields[3])
if not author then return {'no_post'} end
if fields[BANNED] and fields[3] ~= viewer and not is_admin(authority, viewer) then return {'no_post'} end
return {'ok', fields, is_on(id, 'likes', viewer), is_on(id, 'bookmarks', viewer), author}
