// The ways in which Ridge reaches a Redis: each a name, and the variables that make it so.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startUpstream } from '../../../scripts/children.mjs';
import { launch } from '../../../scripts/process.mjs';
import { freePort } from '../../../scripts/redis.mjs';
import { atEnd } from './cleanup.mjs';
import { ownRedis } from './redis.mjs';

const TOKEN = randomBytes(32).toString('hex');

/** How long the independent server may take to start. */
const READY_WITHIN_MS = 30_000;

/** Over TCP. */
export async function overTcp() {
  const { url } = await ownRedis();
  return { name: 'TCP', redisUrl: url, vars: { REDIS_URL: url } };
}

/** Over REST, by a server that is not ours: it tells whether we speak Upstash's protocol or only one that we made up. */
export async function overIndependentRest() {
  const redis = await ownRedis();
  const port = await freePort();
  const server = launch('upstash-redis-server', [], {
    env: { PORT: String(port), URS_TOKEN: TOKEN, REDIS_URL: redis.url },
    stdout: 'ignore',
  });
  atEnd(server.stop);
  const url = `http://127.0.0.1:${port}`;
  const ping = { method: 'POST', body: '[["PING"]]' };
  for (const deadline = Date.now() + READY_WITHIN_MS; ; await sleep(50)) {
    if (await fetch(`${url}/pipeline`, ping).then((response) => response.ok, () => false)) break;
    if (Date.now() > deadline) throw new Error('upstash-redis-server does not answer');
  }
  return { name: 'REST, the independent server', redisUrl: redis.url, vars: rest(url) };
}

/** Over REST, by our own small server: that one looks at the token. */
export async function overOwnRest() {
  const redis = await ownRedis();
  const upstream = await startUpstream(redis.url, TOKEN);
  atEnd(upstream.stop);
  return { name: 'REST, our own server', redisUrl: redis.url, vars: rest(upstream.url) };
}

const rest = (url) => ({ UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: TOKEN });
