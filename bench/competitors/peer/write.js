// POST /redis/write: what needs no knowledge of the stored profile is judged at once; where a command names a protected
// field, the stored values are read first. Reading and writing are two round trips, and two syncs at once can slip
// between them: without a script in Redis that is what this costs.
import { commandsOf } from './body.js';
import { validUsername } from './auth.js';
import { redis } from './redis.js';

const PROTECTED = ['username', 'display_name', 'avatar', 'role', 'postCount', 'followerCount', 'followingCount'];
const isProtected = new Set(PROTECTED);
const COUNTERS = new Set(['postCount', 'followerCount', 'followingCount']);
const ROLES = new Set(['admin', 'user', 'model']);
const MANAGED = new Set([
  'posts',
  'bookmarked',
  'liked',
  'comments',
  'banned',
  'followers',
  'following',
  'followers:since',
  'following:since',
]);
const INTEGER = /^-?\d{1,19}$/;

/** Per command: what it looks like and how it goes into the SDK's pipeline. */
const WRITES = {
  HSET: {
    fits: (parts) => parts.length >= 4 && parts.length % 2 === 0,
    add: (p, [key, ...pairs]) => p.hset(key, fromPairs(pairs)),
  },
  HDEL: { fits: (parts) => parts.length >= 3, add: (p, [key, ...fields]) => p.hdel(key, ...fields) },
  HINCRBY: { fits: (parts) => parts.length === 4, add: (p, [key, field, by]) => p.hincrby(key, field, by) },
};

export async function write(c) {
  const commands = await commandsOf(c);
  const judged = commands.map(judge);
  const stored = await storedProfiles(c, judged);
  const results = new Array(commands.length);
  const pipeline = redis(c.env).pipeline();
  const sent = [];
  judged.forEach(({ error, name, args, user, protectedPairs }, index) => {
    const refusal = error ?? (protectedPairs && checkAgainst(stored.get(user), user, protectedPairs));
    if (refusal) {
      results[index] = refusal;
      return;
    }
    WRITES[name].add(pipeline, args);
    sent.push(index);
    if (protectedPairs) register(pipeline, sent, stored.get(user), user, args);
  });
  if (sent.length > 0) {
    const replies = await pipeline.exec({ keepErrors: true });
    replies.forEach(({ error, result }, i) => {
      if (sent[i] !== null) results[sent[i]] = error ? `ERR ${error}` : result;
    });
  }
  return c.json({ results, username: c.get('caller').username });
}

/** Everything that can be said of a command by looking at it alone. */
function judge(parts) {
  const name = parts[0].toUpperCase();
  const rule = WRITES[name];
  if (!rule) return { error: 'ERR command not allowed in write mode' };
  if (!rule.fits(parts)) return { error: `ERR wrong number of arguments for '${name.toLowerCase()}' command` };
  const args = parts.slice(1);
  const [space, user, ...rest] = args[0].split(':');
  if (space !== 'user' || !(validUsername(user) || user === 'xano_sync')) return { error: 'ERR invalid key format' };
  const suffix = rest.join(':');
  if (MANAGED.has(suffix)) return { error: `ERR key '${args[0]}' is managed, use the REST endpoints` };
  if (name === 'HINCRBY' && !INTEGER.test(args[2])) return { error: 'ERR value is not an integer or out of range' };
  if (rest.length > 0) return { name, args };
  if (name === 'HSET') return { name, args, user, protectedPairs: protectedPairs(args) };
  const touched =
    name === 'HDEL'
      ? args.slice(1).filter((field) => isProtected.has(field))
      : [args[1]].filter((field) => isProtected.has(field) && !COUNTERS.has(field));
  return touched.length > 0 ? { error: immutable(touched) } : { name, args };
}

/** The protected fields that an HSET names, with their values; undefined when there are none. */
function protectedPairs(args) {
  let pairs;
  for (let i = 1; i < args.length; i += 2) if (isProtected.has(args[i])) (pairs ??= []).push([args[i], args[i + 1]]);
  return pairs;
}

/** One HMGET for each user whose protected fields the batch names. No such user, no round trip. */
async function storedProfiles(c, judged) {
  const users = [...new Set(judged.filter((command) => command.protectedPairs).map((command) => command.user))];
  const profiles = new Map();
  if (users.length === 0) return profiles;
  const pipeline = redis(c.env).pipeline();
  for (const user of users) pipeline.hmget(`user:${user}`, ...PROTECTED);
  const replies = await pipeline.exec();
  replies.forEach((values, i) => {
    const profile = Object.fromEntries(PROTECTED.map((field, j) => [field, values[j]]));
    profiles.set(users[i], { profile, isNew: profile.username === null });
  });
  return profiles;
}

function checkAgainst({ profile, isNew }, user, pairs) {
  if (!isNew) {
    const changed = pairs.filter(([field, value]) => profile[field] !== value).map(([field]) => field);
    return changed.length > 0 ? immutable(changed) : null;
  }
  for (const [field, value] of pairs) {
    if (field === 'username' && value !== user) return `ERR field 'username' must be '${user}'`;
    if (field === 'role' && !ROLES.has(value)) return "ERR field 'role' must be one of admin, user, model";
    if (COUNTERS.has(field) && !INTEGER.test(value)) return `ERR field '${field}' must be an integer`;
  }
  return null;
}

/** A new user whose username is being set joins the registry of its role; `null` keeps that reply out of the answer. */
function register(pipeline, sent, { isNew }, user, [, ...pairs]) {
  const fields = fromPairs(pairs);
  if (!isNew || fields.username === undefined || fields.role === 'admin') return;
  const registry = fields.role === 'model' ? 'users:models' : 'users:regular';
  pipeline.zadd(registry, { score: Number(fields.created_at ?? Date.now()), member: user });
  sent.push(null);
}

function fromPairs(pairs) {
  const object = {};
  for (let i = 0; i < pairs.length; i += 2) object[pairs[i]] = pairs[i + 1];
  return object;
}

function immutable(fields) {
  const names = fields.map((field) => `'${field}'`).join(', ');
  return `ERR field${fields.length > 1 ? 's' : ''} ${names} cannot be modified directly, use PATCH /users/:id`;
}
