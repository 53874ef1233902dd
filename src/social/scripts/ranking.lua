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
-- How many places are told apart by score; behind them age alone decides.
local MOST_RANKED = 500
-- How often a page is tried to be filled.
local MOST_TRIES = 4

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

-- Puts a ranking where the bound of its next post belongs; one without engagement left is of no more use.
local function place(rankings, ranking, now)
  ranking.engagement = tonumber(ranking.ahead[ranking.at + 1] or 0)
  if ranking.engagement <= 0 then return end
  ranking.bound = score_at(ranking.engagement, ranking.newest, now)
  insert(rankings, ranking, has_higher_bound, math.huge)
end

local function advance(rankings, ranking, now)
  ranking.at = ranking.at + 2
  if ranking.at > #ranking.ahead then
    ranking.ahead = call('ZREVRANGE', ranking.key, ranking.rank, ranking.rank + AHEAD - 1, 'WITHSCORES')
    ranking.rank, ranking.at = ranking.rank + AHEAD, 1
  end
  place(rankings, ranking, now)
end

-- The rankings that hold posts of the last fortnight: hour by hour since yesterday began, day by day before. Of most of
-- them not even the first post is taken, so only that one is fetched.
local function rankings_of(tag, now)
  local rankings, today = {}, math.floor(now / DAY)
  local function add_all(kind, first, last, length)
    local prefix = hashtag_key(tag, 'ranked:' .. kind)
    for number = first, last do
      local key = prefix .. number
      local head = call('ZREVRANGE', key, 0, 0, 'WITHSCORES')
      if head[1] then
        local newest = math.min((number + 1) * length - 1, now)
        place(rankings, {key = key, newest = newest, rank = 1, ahead = head, at = 1}, now)
      end
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
    advance(rankings, first, now)
  end
  return best
end

-- The ranks by age of the best posts, oldest rank last.
local function ranks_of(best, by_time)
  local ranks = {}
  for i, entry in ipairs(best) do ranks[i] = call('ZREVRANK', by_time, entry.id) or math.huge end
  table.sort(ranks)
  return ranks
end

-- Adds the ids of posts that are not among the best, by age alone: from the n-th of them on, counted from 0.
local function add_others(ids, best, by_time, n, count)
  local rank, is_best = n, {}
  for _, entry in ipairs(best) do is_best[entry.id] = true end
  for _, best_rank in ipairs(ranks_of(best, by_time)) do
    if best_rank > rank then break end
    rank = rank + 1
  end
  for _, id in ipairs(call('ZREVRANGE', by_time, rank, rank + count + #best - 1)) do
    if count > 0 and not is_best[id] then
      ids[#ids + 1], count = id, count - 1
    end
  end
end

-- The ids of a hashtag's posts at a time, best first, from a place on, counted from 0. Behind the best that are told apart by
-- score come all others by age, so a place far down costs no more than one further up.
local function rank_posts(tag, now, place, count)
  local by_time, ids = hashtag_key(tag, 'posts'), {}
  local best = best_of(tag, by_time, now, math.min(place + count, MOST_RANKED))
  for i = place + 1, math.min(place + count, #best) do ids[#ids + 1] = best[i].id end
  if #ids < count then add_others(ids, best, by_time, math.max(place - #best, 0), count - #ids) end
  return ids
end

-- Adds posts to a page, from a place on, until `limit` are added. Returns the place after the last one, and whether there are
-- more. A page that posts which are just being deleted leave short is tried for a few times more, each time further.
local function add_ranked(page, tag, now, place, limit)
  local count, more = limit, 0
  for _ = 1, MOST_TRIES do
    local ids = rank_posts(tag, now, place, count + 1)
    local taken = 0
    while #page.posts < limit and taken < math.min(count, #ids) do
      taken = taken + 1
      add_post(page, ids[taken])
    end
    place, more = place + taken, #ids > taken and 1 or 0
    if #page.posts == limit or more == 0 then break end
    count = count * 2
  end
  return place, more
end
