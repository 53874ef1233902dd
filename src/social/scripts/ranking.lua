-- The order of a hashtag's posts by their score at a time: engagement / (age in hours + 1), 0 past 14 days; equal scores
-- newest first. The score changes with time, so it is not stored: two lists that are, by engagement and by age, bound what
-- has not been seen yet, and the walk over both ends when nothing unseen can be among the first `k` (Fagin's threshold
-- algorithm). So its cost grows with k and hardly with the hashtag.

local HOUR = 3600000
local FORTNIGHT = 14 * 24 * HOUR
-- A walk longer than this, which only k beyond 500 can need, ends there.
local MOST_SEEN = 20000

local function score_at(engagement, created_at, now)
  local age = math.max(now - created_at, 0)
  return age > FORTNIGHT and 0 or engagement / (age / HOUR + 1)
end

local function is_better(a, b)
  if a.score ~= b.score then return a.score > b.score end
  if a.created_at ~= b.created_at then return a.created_at > b.created_at end
  return is_after(a.id, b.id)
end

local function insert_best(best, entry, k)
  if #best >= k and not is_better(entry, best[#best]) then return end
  local low, high = 1, #best + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_better(entry, best[middle]) then high = middle else low = middle + 1 end
  end
  table.insert(best, low, entry)
  if #best > k then best[#best] = nil end
end

-- Reads a piece of one list and looks up, in the other, what is not known yet. Returns the score of the piece's last entry;
-- nil if it is the end of the list.
local function read_piece(list, other, rank, size, seen, take)
  local entries = call('ZREVRANGE', list, rank, rank + size - 1, 'WITHSCORES')
  local fresh, scores = {}, {}
  for i = 1, #entries, 2 do
    if not seen[entries[i]] then
      seen[entries[i]] = true
      fresh[#fresh + 1], scores[#scores + 1] = entries[i], tonumber(entries[i + 1])
    end
  end
  if #fresh > 0 then
    for i, found in ipairs(call('ZMSCORE', other, unpack(fresh))) do
      if found then take(fresh[i], scores[i], tonumber(found)) end
    end
  end
  return #entries == 2 * size and tonumber(entries[#entries]) or nil, #fresh
end

-- The posts with a score above 0, best first, at most k.
local function best_of(by_engagement, by_time, now, k)
  local best, seen, seen_count, rank, size = {}, {}, 0, 0, math.max(16, math.min(k, 256))
  local function take(id, engagement, created_at)
    local score = score_at(engagement, created_at, now)
    if score > 0 then insert_best(best, {id = id, score = score, created_at = created_at}, k) end
  end
  while seen_count < MOST_SEEN do
    local most, of_engagement = read_piece(by_engagement, by_time, rank, size, seen, take)
    local newest, of_time = read_piece(by_time, by_engagement, rank, size, seen,
      function(id, created_at, engagement) take(id, engagement, created_at) end)
    -- Whoever has come to the end of one list has seen every post.
    if not most or not newest then break end
    local bound = score_at(most, newest, now)
    if bound == 0 or (#best >= k and best[#best].score > bound) then break end
    rank, seen_count = rank + size, seen_count + of_engagement + of_time
    size = math.min(size * 2, 256)
  end
  return best
end

-- The ids of a hashtag's first k posts at a time, best first.
local function rank_posts(tag, now, k)
  local by_time = hashtag_key(tag, 'posts')
  local ids, is_ranked = {}, {}
  for i, entry in ipairs(best_of(hashtag_key(tag, 'ranked'), by_time, now, k)) do
    ids[i], is_ranked[entry.id] = entry.id, true
  end
  -- The others have no score, so their age alone orders them.
  local rank = 0
  while #ids < k do
    local page = call('ZREVRANGE', by_time, rank, rank + k - 1)
    if #page == 0 then break end
    for _, id in ipairs(page) do
      if #ids < k and not is_ranked[id] then ids[#ids + 1] = id end
    end
    rank = rank + k
  end
  return ids
end
