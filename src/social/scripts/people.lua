-- A page of users: followers, registries, the most engaging models.
--
-- KEYS  a sorted set of usernames
-- ARGV  limit, offset, score and name of the cursor | '', '', the user who must exist | ''
--
-- Returns {'ok', total, more, score and name that the page ends with, {score, profile}…} or {'no_user'}.

local limit, owner = tonumber(ARGV[1]), ARGV[5]
if owner ~= '' and not user_exists(owner) then return {'no_user'} end
local people = {}

local function take(username, score)
  local profile = load_profile(username)
  if not profile then return false end
  people[#people + 1] = {score, profile}
  return true
end

local rank = first_rank(KEYS[1], ARGV[2], ARGV[3], ARGV[4])
local score, name, more = walk(KEYS[1], rank, limit, take)
return {'ok', call('ZCARD', KEYS[1]), more, score, name, people}
