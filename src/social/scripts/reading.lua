-- What feeds share: which posts may be shown, and all that is shown of them.

local BANNED = 15
-- How many entries of posts that are just being deleted or banned one page skips at most.
local PATIENCE = 1000

-- A page of posts for a viewer ('' is nobody), with the authors' profiles, each of them once, if they are wanted.
local function new_page(viewer, wants_users)
  return {viewer = viewer, wants_users = wants_users, posts = {}, authors = {}, number_of = {}}
end

-- Inserts into a list that is sorted by `comes_first`, and drops what is beyond `most`.
local function insert(list, entry, comes_first, most)
  if #list >= most and not comes_first(entry, list[#list]) then return end
  local low, high = 1, #list + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if comes_first(entry, list[middle]) then high = middle else low = middle + 1 end
  end
  table.insert(list, low, entry)
  if #list > most then list[#list] = nil end
end

-- A profile as a flat list of fields and values; nil if there is none.
local function load_profile(username)
  local profile = call('HGETALL', user_key(username))
  for i = 1, #profile, 2 do
    if profile[i] == 'username' then return profile end
  end
  return nil
end

-- The number of an author in the page's list, from 0; false if the profile is gone.
local function author_number(page, username)
  local number = page.number_of[username]
  if number == nil then
    local author
    if page.wants_users then author = load_profile(username) else author = user_exists(username) and username end
    number = author and #page.authors or false
    if author then page.authors[number + 1] = author end
    page.number_of[username] = number
  end
  return number
end

local function is_on(id, set, viewer)
  return viewer ~= '' and call('SISMEMBER', post_key(id, set), viewer) or 0
end

-- Adds a post. Returns whether it may be shown.
local function add_post(page, id)
  local fields = call('HMGET', post_key(id), unpack(POST_FIELDS))
  if not fields[1] or fields[BANNED] then return false end
  local author = author_number(page, fields[3])
  if not author then return false end
  page.posts[#page.posts + 1] = {fields, is_on(id, 'likes', page.viewer), is_on(id, 'bookmarks', page.viewer), author}
  return true
end

-- The rank at which a page starts: an offset, or behind the (score, member) of a cursor.
local function first_rank(key, offset, score, member)
  return score == '' and tonumber(offset) or rank_after(key, score, member)
end

-- Walks a sorted set from a rank, highest first, until `limit` members are taken. Returns the score and the member that it
-- ended with, and whether there are more.
local function walk(key, rank, limit, take)
  local taken, score, member, last = 0, '', '', rank + limit + PATIENCE
  while taken < limit and rank < last do
    local entries = call('ZREVRANGE', key, rank, rank + limit - taken - 1, 'WITHSCORES')
    if #entries == 0 then return score, member, 0 end
    for i = 1, #entries, 2 do
      member, score = entries[i], entries[i + 1]
      if take(member, score) then taken = taken + 1 end
    end
    rank = rank + #entries / 2
  end
  return score, member, call('ZCARD', key) > rank and 1 or 0
end
