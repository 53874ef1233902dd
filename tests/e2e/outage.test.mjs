// What callers see while Redis is away, slow or not there at all, and that the same Worker is well as soon as Redis is.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownRedis, redisClient } from './support/redis.mjs';
import { asUser, startRidge } from './support/ridge.mjs';

const TIMEOUT_MS = 500;

/** What a request may take beside waiting for Redis, on a machine that has much else to do. */
const SLACK_MS = 2_000;

const LOOPS = 8;
const USERS = 20;

let mortal = await redisOnAPortOfItsOwn();
const ridge = await startRidge({ REDIS_URL: mortal.url });

const steady = await ownRedis();
const patient = await startRidge({ REDIS_URL: steady.url, REDIS_TIMEOUT_MS: String(TIMEOUT_MS) });
const observer = await redisClient(steady.url);

const nowhere = await startRidge({});
const twofold = await startRidge({ REDIS_URL: steady.url, UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1', UPSTASH_REDIS_REST_TOKEN: 's3cret' });

for (const signal of ['SIGKILL', 'SIGTERM']) {
  test(`Redis is ended by ${signal} under load: 503s and nothing else, and 200s when it is back`, async () => {
    const load = startLoad();
    await load.grows(100);
    process.kill(mortal.pid, signal);
    await mortal.exited;
    const gone = performance.now();
    await load.grows(200);
    const back = performance.now();
    mortal = await ownRedis({ on: mortal.port });
    const there = performance.now();
    await load.grows(200);
    const answers = await load.stop();

    const statuses = (chosen) => [...new Set(chosen.map(({ status }) => status))].sort();
    assert.deepEqual(statuses(answers), [200, 503]);
    const during = answers.filter(({ from, to }) => from > gone && to < back);
    assert.ok(during.length > 100);
    assert.deepEqual(statuses(during), [503]);
    assert.deepEqual(statuses(answers.filter(({ from }) => from > there)), [200]);
    for (const answer of answers) answer.check();
  });
}

describe('a Redis that takes connections and never answers', () => {
  test('is 504 within REDIS_TIMEOUT_MS, and the next request is fine', async () => {
    const before = await clients();
    assert.deepEqual((await patient.write(['HSET', 'user:alice', 'username', 'alice', 'visits', '1'])).body.results, [2]);
    process.kill(steady.pid, 'SIGSTOP');
    try {
      const [read, set, count, user, alive] = await Promise.all([
        timed(patient.read([['HGETALL', 'user:alice']])),
        timed(patient.write(['HSET', 'user:alice', 'bio', 'late'])),
        timed(patient.write(['HINCRBY', 'user:alice', 'visits', '1'])),
        timed(patient.get('/users/alice', asUser('alice'))),
        timed(patient.get('/healthz')),
      ]);
      assert.deepEqual(
        [read, set, count, user, alive].map(({ status, body }) => [status, body.code]),
        [[504, 'redis_timeout'], [504, 'outcome_unknown'], [504, 'outcome_unknown'], [504, 'redis_timeout'], [200, undefined]],
      );
      for (const { took } of [read, set, count, user]) {
        assert.ok(took > TIMEOUT_MS - 50 && took < TIMEOUT_MS + SLACK_MS, `${took} ms`);
      }
      const health = await patient.get('/health');
      assert.deepEqual([health.status, health.body.status, health.body.cache], [503, 'unhealthy', { totalKeys: null, memoryUsage: null }]);
    } finally {
      process.kill(steady.pid, 'SIGCONT');
    }
    const { status, body } = await patient.read([['HMGET', 'user:alice', 'username', 'visits']]);
    assert.equal(status, 200);
    assert.equal(body[0][0], 'alice');
    assert.ok(['1', '2'].includes(body[0][1]), 'the increment was sent twice');
    assert.equal((await patient.get('/health')).body.status, 'healthy');
    await clientsAre(before);
  });
});

test('300 requests over TCP leave no connection behind', async () => {
  const before = await clients();
  const received = Number(await info('total_connections_received'));
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => request(patient, n)));
    for (const { status } of answers) assert.equal(status, 200);
  }
  assert.ok(Number(await info('total_connections_received')) >= received + 300, 'they were not over TCP');
  await clientsAre(before);
});

describe('no usable configuration', () => {
  for (const [name, worker] of [['no Redis', nowhere], ['two at once', twofold]]) {
    test(`${name}: 500 that names REDIS_URL, while the Worker says that it lives`, async () => {
      for (const path of ['/', '/health', '/whoami', '/users/alice', '/nope']) {
        const { status, body } = await worker.get(path, asUser('alice'));
        assert.deepEqual([status, body.code, body.error], [500, 'misconfigured', 'The gateway is misconfigured'], path);
        assert.match(body.message, /^REDIS_URL: /);
      }
      assert.equal((await worker.write(['HSET', 'user:a', 'b', 'c'])).status, 500);
      assert.equal((await worker.get('/healthz')).status, 200);
      assert.equal((await worker.ask({ method: 'OPTIONS', path: '/', headers: { Origin: 'https://a.example' } })).status, 204);
      await worker.get('/whoami', { 'X-Request-Id': 'why' });
      const line = JSON.parse(await worker.lineOf('why'));
      assert.equal(line.level, 'error');
      assert.match(line.cause, /^REDIS_URL: /);
      assert.ok(!worker.log.join().includes('s3cret'));
    });
  }
});

/** Reads and HSETs by turns, as fast as they are answered. `stop()` gives every answer, with when it was asked and came. */
function startLoad() {
  const answers = [];
  let stopped = false;
  const loops = Array.from({ length: LOOPS }, async (_, loop) => {
    for (let n = loop; !stopped; n += LOOPS) {
      const from = performance.now();
      const answer = await request(ridge, n);
      answers.push({ from, to: performance.now(), status: answer.status, check: () => checkAnswer(answer) });
    }
  });
  return {
    /** Waits until so many more were answered; a loop that broke says so. */
    grows: async (by) => {
      const enough = answers.length + by;
      while (answers.length < enough) await Promise.race([sleep(5), Promise.all(loops)]);
    },
    stop: async () => {
      stopped = true;
      await Promise.all(loops);
      return answers;
    },
  };
}

function request(worker, n) {
  const user = `load${n % USERS}`;
  if (n % 3 === 0) return worker.read([['HGETALL', `user:${user}`], ['EXISTS', `user:${user}`]]);
  return worker.write([['HSET', `user:${user}`, 'username', user, 'bio', `bio ${n}`], ['HSET', `user:${user}`, 'city', 'Bern']]);
}

/** An answer of the load is whole, or an error that tells neither address nor cause. */
function checkAnswer({ status, headers, text, body }) {
  if (status === 200) return assert.ok(Array.isArray(body) || Array.isArray(body.results), text);
  assert.match(body.code, /^redis_un(reachable|available)$/);
  assert.ok(Number(headers['retry-after']) >= 1);
  assert.equal(headers['content-type'], 'application/json');
  assert.deepEqual(Object.keys(body).sort(), ['code', 'error', 'requestId']);
  assert.ok(!text.includes('127.0.0.1') && !text.includes(String(mortal.port)), text);
}

async function timed(answer) {
  const from = performance.now();
  return { ...(await answer), took: performance.now() - from };
}

async function info(field) {
  return new RegExp(`^${field}:(\\S+)`, 'm').exec(await observer.run('INFO'))[1];
}

async function clients() {
  return Number(await info('connected_clients'));
}

/** Redis notices a closed connection a moment later. */
async function clientsAre(expected) {
  let now;
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(50)) {
    now = await clients();
    if (now === expected) return;
  }
  assert.equal(now, expected, 'connections of the Worker are still open');
}

/**
 * A Redis on a port below those that outgoing connections get: while it is away, one of them could get just this, and with
 * it a connection to itself.
 */
async function redisOnAPortOfItsOwn() {
  for (let attempts = 20; ; attempts--) {
    try {
      return await ownRedis({ on: 10_000 + Math.floor(Math.random() * 20_000) });
    } catch (error) {
      if (attempts === 0) throw error;
    }
  }
}
