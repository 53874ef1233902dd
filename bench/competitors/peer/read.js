// POST /: a batch of reads in one pipeline. What the policy refuses keeps its place in the answer as an error.
import { commandsOf } from './body.js';
import { redis, toObject } from './redis.js';

/**
 * Per command: how many parts it may have, which of them are keys, and how it goes into the SDK's pipeline.
 * `last: -1` is "to the end", as in Redis's own COMMAND table.
 */
const READS = {
  HGETALL: { min: 2, max: 2, last: 1, add: (p, [key]) => p.hgetall(key), show: toObject },
  HGET: { min: 3, max: 3, last: 1, add: (p, [key, field]) => p.hget(key, field) },
  HMGET: { min: 3, max: Infinity, last: 1, add: (p, [key, ...fields]) => p.hmget(key, ...fields) },
  SMEMBERS: { min: 2, max: 2, last: 1, add: (p, [key]) => p.smembers(key) },
  SISMEMBER: { min: 3, max: 3, last: 1, add: (p, [key, member]) => p.sismember(key, member) },
  ZRANGE: {
    min: 4,
    max: 10,
    last: 1,
    add: (p, [key, from, to, ...rest]) => p.zrange(key, from, to, zrangeOptions(rest)),
  },
  ZREVRANGE: {
    min: 4,
    max: 5,
    last: 1,
    add: (p, [key, from, to, ...rest]) => p.zrange(key, from, to, { rev: true, ...zrangeOptions(rest) }),
  },
  ZCARD: { min: 2, max: 2, last: 1, add: (p, [key]) => p.zcard(key) },
  GET: { min: 2, max: 2, last: 1, add: (p, [key]) => p.get(key) },
  MGET: { min: 2, max: Infinity, last: -1, add: (p, keys) => p.mget(...keys) },
  EXISTS: { min: 2, max: Infinity, last: -1, add: (p, keys) => p.exists(...keys) },
  TTL: { min: 2, max: 2, last: 1, add: (p, [key]) => p.ttl(key) },
  TYPE: { min: 2, max: 2, last: 1, add: (p, [key]) => p.type(key) },
};

const WRITES = new Set([
  'SET',
  'DEL',
  'HSET',
  'HDEL',
  'HINCRBY',
  'SADD',
  'SREM',
  'ZADD',
  'ZREM',
  'EXPIRE',
  'FLUSHALL',
  'FLUSHDB',
]);
const PRIVATE_KEY = /^(otp:|session)/;
const OWN_KEY = /^user:(me|AUTH)(?=:|$)/;

export async function read(c) {
  const commands = await commandsOf(c);
  const { username } = c.get('caller');
  const answer = new Array(commands.length);
  const sent = [];
  const pipeline = redis(c.env).pipeline();
  commands.forEach((parts, index) => {
    const name = parts[0].toUpperCase();
    const rule = READS[name];
    const refusal = refuse(name, rule, parts);
    if (refusal) {
      answer[index] = refusal;
      return;
    }
    const args = withOwnKeys(parts.slice(1), rule, username);
    rule.add(pipeline, args);
    sent.push({ index, show: rule.show });
  });
  if (sent.length > 0) {
    const replies = await pipeline.exec({ keepErrors: true });
    replies.forEach(({ error, result }, i) => {
      const { index, show } = sent[i];
      answer[index] = error ? `ERR ${error}` : show ? show(result) : result;
    });
  }
  return c.json(answer);
}

function refuse(name, rule, parts) {
  if (!rule) return WRITES.has(name) ? 'ERR read-only mode' : 'ERR command not allowed in read mode';
  if (parts.length < rule.min || parts.length > rule.max)
    return `ERR wrong number of arguments for '${name.toLowerCase()}' command`;
  const end = rule.last === -1 ? parts.length - 1 : rule.last;
  for (let i = 1; i <= end; i++) if (PRIVATE_KEY.test(parts[i])) return 'ERR forbidden: private key';
  return null;
}

function withOwnKeys(args, rule, username) {
  const keys = rule.last === -1 ? args.length : rule.last;
  for (let i = 0; i < keys; i++) args[i] = args[i].replace(OWN_KEY, `user:${username}`);
  return args;
}

function zrangeOptions(words) {
  const options = {};
  for (let i = 0; i < words.length; i++) {
    const word = words[i].toUpperCase();
    if (word === 'WITHSCORES') options.withScores = true;
    else if (word === 'REV') options.rev = true;
    else if (word === 'BYSCORE') options.byScore = true;
    else if (word === 'BYLEX') options.byLex = true;
    else if (word === 'LIMIT') [options.offset, options.count] = [Number(words[++i]), Number(words[++i])];
  }
  return options;
}
