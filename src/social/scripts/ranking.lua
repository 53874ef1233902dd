-- The order of a hashtag's posts by their score at a time: engagement / (age in hours + 1), 0 past 14 days; equal scores
-- newest first.
--
-- The score changes with time, so it is not stored. What is stored are rankings by engagement of each hour and each day.
-- Within one of them ages hardly differ, so the engagement of its next post, with the least age there, bounds the score of
-- all that is unseen in it. Posts are taken from the ranking with the highest bound, until no bound reaches the k-th best
-- score (a threshold algorithm, after Fagin). That is exact, and costs as much as k and the number of rankings, however
-- many posts the hashtag has.

local HOUR = 3600000
local DAY = 24 * HOUR
local FORTNIGHT = 14 * DAY
-- How many entries of a ranking are fetched at a time.
local AHEAD = 8
-- How many posts from the future, which a backend with a fast clock has synced, are looked at.
local MOST_FUTURE = 1000
local NOTHING = {}

local function score_at(engagement, created_at, now)
  local age = math.max(now - created_at, 0)
  return age > FORTNIGHT and 0 or engagement / (age / HOUR + 1)
end

local function is_better(a, b)
  if a.score ~= b.score then return a.score > b.score end
  if a.created_at ~= b.created_at then return a.created_at > b.created_at end
  return is_after(a.id, b.id)
end

local function has_higher_bound(a, b)
  return a.bound > b.bound
end

-- Puts a ranking where its next post's bound belongs; one without engagement left is of no more use.
local function advance(rankings, ranking, now)
  if ranking.at > #ranking.ahead then
    -- Of most rankings not even the first post is taken, so only that one is fetched at first.
    local count = ranking.rank == 0 and 1 or AHEAD
    ranking.ahead = call('ZREVRANGE', ranking.key, ranking.rank, ranking.rank + count - 1, 'WITHSCORES')
    ranking.rank, ranking.at = ranking.rank + count, 1
    if #ranking.ahead == 0 then return end
  end
  ranking.engagement = tonumber(ranking.ahead[ranking.at + 1])
  ranking.bound = score_at(ranking.engagement, ranking.newest, now)
  if ranking.bound > 0 then insert(rankings, ranking, has_higher_bound, math.huge) end
end

-- The rankings that hold posts of the last fortnight: hour by hour since yesterday began, day by day before.
local function rankings_of(tag, now)
  local rankings, today = {}, math.floor(now / DAY)
  local function add_all(kind, first, last, length)
    local prefix = hashtag_key(tag, 'ranked:' .. kind)
    for number = first, last do
      local newest = math.min((number + 1) * length - 1, now)
      advance(rankings, {key = prefix .. number, newest = newest, rank = 0, ahead = NOTHING, at = 1}, now)
    end
  end
  add_all('h', (today - 1) * 24, math.floor(now / HOUR), HOUR)
  add_all('d', math.floor((now - FORTNIGHT) / DAY), today - 2, DAY)
  return rankings
end

-- The posts with a score above 0, best first, at most k.
local function best_of(tag, by_time, now, k)
  local best = {}
  local function take(id, engagement, created_at)
    local score = score_at(engagement, created_at, now)
    if score > 0 then insert(best, {id = id, score = score, created_at = created_at}, is_better, k) end
  end
  local next_hour = string.format('%.0f', (math.floor(now / HOUR) + 1) * HOUR)
  local future = call('ZREVRANGEBYSCORE', by_time, '+inf', next_hour, 'WITHSCORES', 'LIMIT', 0, MOST_FUTURE)
  for i = 1, #future, 2 do
    take(future[i], tonumber(call('ZSCORE', hashtag_key(tag, 'ranked'), future[i]) or 0), tonumber(future[i + 1]))
  end
  local rankings = rankings_of(tag, now)
  while #rankings > 0 do
    local first = table.remove(rankings, 1)
    if #best >= k and best[#best].score > first.bound then break end
    local id = first.ahead[first.at]
    local created_at = call('ZSCORE', by_time, id)
    if created_at then take(id, first.engagement, tonumber(created_at)) end
    first.at = first.at + 2
    advance(rankings, first, now)
  end
  return best
end

-- The ids of a hashtag's first k posts at a time, best first.
local function rank_posts(tag, now, k)
  local by_time = hashtag_key(tag, 'posts')
  local ids, is_ranked = {}, {}
  for i, entry in ipairs(best_of(tag, by_time, now, k)) do
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

-- Adds posts to a page, from a place of the ranking on, until `limit` are added. Returns the place after the last one, and
-- whether there are more. More places than that are ranked only if posts that are just being deleted leave the page short.
local function add_ranked(page, tag, now, place, limit)
  local wanted, more, ids = place + limit, 0, nil
  repeat
    ids = rank_posts(tag, now, wanted + 1)
    while #page.posts < limit and place < math.min(wanted, #ids) do
      place = place + 1
      add_post(page, ids[place])
    end
    more = #ids > place and 1 or 0
    wanted = wanted + limit
  until #page.posts == limit or more == 0 or wanted > place + PATIENCE
  return place, more
end
