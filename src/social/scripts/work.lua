-- Carries the oldest job on by one step.
--
-- KEYS  jobs:pending
-- ARGV  '', now
--
-- Returns {'ok', how many jobs are left}.

local now = ARGV[2]

local KINDS = {
  ['delete-user'] = continue_deletion,
  ['delete-post'] = function(id) return settle_job('delete-post:' .. id, sweep_post(id), now) end,
  ['rename'] = function(username) return settle_job('rename:' .. username, rename_posts(username), now) end,
  ['ban'] = function(id)
    local post = load_post(id)
    return settle_job('ban:' .. id, not post or move_reactions(id, post.banned), now)
  end,
}

local job = call('ZRANGE', 'jobs:pending', 0, 0)[1]
if not job then return {'ok', 0} end
-- To the end of the line: should it fail, it must not hold up the others.
call('ZADD', 'jobs:pending', now, job)
local kind, name = string.match(job, '^([^:]+):(.+)$')
if KINDS[kind] then KINDS[kind](name, now) else call('ZREM', 'jobs:pending', job) end
return {'ok', call('ZCARD', 'jobs:pending')}
