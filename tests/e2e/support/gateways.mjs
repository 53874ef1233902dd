// The gateway as clients of Upstash see it: an address and a token, over each way in which Ridge reaches a Redis.
//
// Over REST it is Ridge in front of Ridge: what the gateway answers, the other side of Ridge must understand.

import { randomBytes } from 'node:crypto';
import { ownRedis, redisClient } from './redis.mjs';
import { startRidge } from './ridge.mjs';

/** What Ridge itself keeps in its Redis beside what clients put there, and writes when it likes: docs/REDIS_KEYS.md. */
const RIDGE_S_OWN = /^ridge:/;

/** The keys of clients. */
export async function keysIn(redis) {
  return withoutOwn(await redis.run('KEYS', '*'));
}

export function withoutOwn(keys) {
  return keys.filter((key) => !RIDGE_S_OWN.test(key)).sort();
}

/**
 * Starts both gateways, each over a Redis of its own: `{name, url, token, tokenOf, ridge, redis}`. `url` and `token` are what the SDKs
 * take, `redis` looks behind. `acls` are further API keys, names and ACLs; `tokenOf(name)` is such a key. `vars` are further variables.
 * They end with the file's tests.
 */
export async function startGateways(acls = {}, vars = {}) {
  return [await overTcp(acls, vars), await overRest(acls, vars)];
}

async function overTcp(acls, vars) {
  const { url } = await ownRedis();
  return gateway('TCP', { REDIS_URL: url, ...vars }, acls, await redisClient(url));
}

async function overRest(acls, vars) {
  const behind = await overTcp({}, {});
  const upstream = { UPSTASH_REDIS_REST_URL: behind.url, UPSTASH_REDIS_REST_TOKEN: behind.token };
  return gateway('REST', { ...upstream, ...vars }, acls, behind.redis);
}

async function gateway(name, vars, acls, redis) {
  const keys = [{ name: 'everything' }, ...Object.entries(acls).map(([name, acl]) => ({ name, acl }))]
    .map((entry) => ({ ...entry, key: randomBytes(32).toString('hex'), scopes: ['gateway'] }));
  const tokenOf = (name) => keys.find((entry) => entry.name === name).key;
  const ridge = await startRidge({ ...vars, API_KEYS: JSON.stringify(keys) });
  return { name, url: `http://127.0.0.1:${ridge.port}/redis`, token: tokenOf('everything'), tokenOf, ridge, redis };
}
