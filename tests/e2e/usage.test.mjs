// What API keys are used for is written after the answers, whether or not another request comes.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { overOwnRest, overTcp } from './support/backends.mjs';
import { redisClient } from './support/redis.mjs';
import { API_KEY, asBackend, startRidge } from './support/ridge.mjs';

/** What is counted is written after two seconds, on a machine that may have much else to do. */
const WRITTEN_WITHIN_MS = 30_000;

const APP = { name: 'app', key: 'app-key', scopes: ['proxy'], acl: '~app:* +@read' };

for (const { name, vars, redisUrl } of [await overTcp(), await overOwnRest()]) {
  const variables = { ...vars, ENVIRONMENT: 'development', API_KEYS: JSON.stringify([APP]) };
  const isolates = [await startRidge(variables), await startRidge(variables)];
  const redis = await redisClient(redisUrl);
  describe(`over ${name}`, () => story(isolates, redis));
}

function story([ridge, another], redis) {
  const asApp = { 'X-API-Key': APP.key };
  const written = () => redis.run('KEYS', 'ridge:usage:*');
  const shown = async (isolate) => {
    const answer = await isolate.get('/keys/usage', asBackend);
    assert.deepEqual([answer.status, answer.headers['x-redis-round-trips']], [200, '1'], answer.text);
    return answer.body.keys;
  };
  const from = Date.now();

  test('counts appear after the answer, without another request', async () => {
    const { status, headers } = await ridge.read([['GET', 'app:a'], ['GET', 'b'], ['GET']], asApp);
    assert.deepEqual([status, headers['x-redis-round-trips']], [200, '1']);
    await until(async () => (await written()).length > 0);
    const [xano, app] = await shown(another);
    const counts = { requests: 1, commands: 3, denials: 1 };
    assert.deepEqual(xano, { name: 'xano', configured: true, days: [], total: { requests: 0, commands: 0, denials: 0 }, lastUsed: null });
    assert.ok(app.lastUsed >= from && app.lastUsed <= Date.now());
    const date = new Date(app.lastUsed).toISOString().slice(0, 10);
    assert.deepEqual(app, { name: 'app', configured: true, days: [{ date, ...counts }], total: counts, lastUsed: app.lastUsed });
  });

  test('what several isolates count while they are busy is added up', async () => {
    const rounds = 30;
    for (let n = 0; n < rounds; n++) {
      const answers = await Promise.all([ridge, another].map((isolate) => isolate.read([['GET', 'app:a']], asApp)));
      assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
      await sleep(100);
    }
    const total = { requests: 1 + 2 * rounds, commands: 3 + 2 * rounds, denials: 1 };
    let told;
    await until(async () => {
      told = (await shown(ridge)).find(({ name }) => name === 'app').total;
      return told.requests >= total.requests;
    });
    assert.deepEqual(told, total);
  });

  test('nothing of it is secret, and all of it goes by itself', async () => {
    for (const key of await written()) {
      assert.ok(await redis.run('PTTL', key) > 0, `${key} stays for ever`);
      const value = JSON.stringify(await dump(redis, key));
      for (const secret of [APP.key, API_KEY]) assert.ok(!`${key} ${value}`.includes(secret), key);
    }
    assert.ok(![...ridge.log, ...another.log].some((line) => line.includes('"warn"')), ridge.log.join('\n'));
  });
}

async function dump(redis, key) {
  const read = { hash: ['HGETALL', key], zset: ['ZRANGE', key, '0', '-1'], string: ['GET', key] };
  return redis.run(...read[await redis.run('TYPE', key)]);
}

async function until(isSo) {
  for (const deadline = Date.now() + WRITTEN_WITHIN_MS; !(await isSo()); await sleep(50)) {
    assert.ok(Date.now() < deadline, 'it is not written');
  }
}
