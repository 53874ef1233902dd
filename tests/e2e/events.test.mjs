// Event streams in workerd: what only the built Worker can show. A stream lives as long as somebody reads it and Redis is there,
// and leaves nothing behind, whoever goes first.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from '@upstash/redis';
import { listen, until } from './support/events.mjs';
import { startGateways } from './support/gateways.mjs';
import { ownRedis, redisClient } from './support/redis.mjs';
import { startRidge } from './support/ridge.mjs';

const MANY = 100;
const MIB = 1024 * 1024;
const KEY = 'a-key-of-the-gateway-for-these-tests';
const API_KEYS = JSON.stringify([{ name: 'tests', key: KEY }]);

const gateways = await startGateways({ chatter: '+subscribe +psubscribe +publish &chat:* &chat:1' });

/** Over TCP, in front of a Redis that will be ended. */
const mortal = await ownRedis();
const doomed = await alone({ REDIS_URL: mortal.url });

/** An instance that will crash. */
const steady = await ownRedis();
const observer = await redisClient(steady.url);
const crashing = await alone({ REDIS_URL: steady.url }, fileURLToPath(new URL('support/crash.js', import.meta.url)));

/** They are left alone until the last test: in the meantime something must have happened to them by itself. */
const silent = await Promise.all(gateways.map((gateway) => listen(gateway, 'subscribe/silent')));
for (const gateway of gateways) (await listen(gateway, 'subscribe/gone')).leave();

async function alone(vars, wrapper) {
  const { port, log } = await startRidge({ ...vars, API_KEYS }, wrapper);
  return { url: `http://127.0.0.1:${port}/redis`, token: KEY, log };
}

const subscribers = async (redis, channel) => (await redis.run('PUBSUB', 'NUMSUB', channel))[1];
const pattern = /message,chat,(\d+)\n/g;

for (const gateway of gateways) {
  const { name, redis } = gateway;
  const publish = (channel, message) => redis.run('PUBLISH', channel, message);
  const connections = async () => (await redis.run('CLIENT', 'LIST')).trim().split('\n').length;

  /** Over REST the inner Worker notices with the next message that the outer one has gone. */
  const goneFrom = (channel) => until(async () => await publish(channel, 'anybody there?') === 0);

  describe(`over ${name}`, () => {
    test('a stream begins at once, and each message comes when it is published', async () => {
      for (const request of [{}, { method: 'POST' }, { method: 'POST', body: '["SUBSCRIBE","other"]' }]) {
        const stream = await listen(gateway, 'subscribe/chat/caf%C3%A9', request);
        assert.deepEqual([stream.status, stream.headers['content-type']], [200, 'text/event-stream']);
        assert.equal(stream.headers['cache-control'], 'no-store');
        assert.match(stream.headers['x-request-id'], /^[0-9a-f]{32}$/);
        await stream.until('café,2\n\n');
        assert.equal(await publish('chat', 'one\ntwo'), 1);
        await stream.until('two\n\n');
        assert.equal(await publish('café', '😀'), 1);
        await stream.until('😀\n\n');
        assert.equal(await publish('other', 'x'), 0);
        assert.equal(stream.text, 'data: subscribe,chat,1\n\ndata: subscribe,café,2\n\ndata: message,chat,one\ndata:two\n\ndata: message,café,😀\n\n');
        stream.hangUp();
        await goneFrom('chat');
      }
    });

    test('HEAD has the headers, and subscribes to nothing', async () => {
      const stream = await listen(gateway, 'subscribe/head', { method: 'HEAD' });
      await stream.end();
      assert.deepEqual([stream.status, stream.headers['content-type'], stream.text], [200, 'text/event-stream', '']);
      assert.equal(await subscribers(redis, 'head'), 0);
    });

    test('10,000 messages at once arrive whole and in order', async () => {
      const stream = await listen(gateway, 'subscribe/chat');
      await stream.until('\n\n');
      await Promise.all(Array.from({ length: 10_000 }, (_, n) => publish('chat', String(n))));
      await stream.until('message,chat,9999\n');
      const heard = [...stream.text.matchAll(pattern)].map(([, number]) => Number(number));
      assert.deepEqual(heard, Array.from({ length: 10_000 }, (_, n) => n));
      stream.hangUp();
      await goneFrom('chat');
    });

    test('a reader who pauses misses nothing, and fills nobody\'s memory', async () => {
      const stream = await listen(gateway, 'subscribe/chat');
      await stream.until('\n\n');
      stream.pause();
      // More than all sockets between here and Redis hold, less than what Redis puts up with.
      for (let n = 0; n < 24; n++) await publish('chat', `${'x'.repeat(MIB)} ${n}.`);
      await until(async () => await held() > MIB);
      stream.resume();
      await stream.until(' 23.\n\n');
      assert.deepEqual([...stream.text.matchAll(/ (\d+)\.\n/g)].map(([, n]) => Number(n)), Array.from({ length: 24 }, (_, n) => n));
      assert.ok(stream.text.length > 24 * MIB);
      stream.hangUp();
      await goneFrom('chat');
    });

    /** How much Redis keeps for a subscriber that does not take it. */
    async function held() {
      const clients = (await redis.run('CLIENT', 'LIST', 'TYPE', 'pubsub')).matchAll(/ omem=(\d+)/g);
      return Math.max(...[...clients].map(([, bytes]) => Number(bytes)));
    }

    test(`${MANY} readers at a time hear the same, and of 300 that left nothing is left`, async () => {
      const before = await connections();
      for (let round = 0; round < 3; round++) {
        const streams = await Promise.all(Array.from({ length: MANY }, (_, n) => listen(gateway, n % 2 ? 'psubscribe/ch*t' : 'subscribe/chat')));
        await Promise.all(streams.map((stream) => stream.until('\n\n')));
        assert.equal(await publish('chat', 'hello'), MANY);
        await Promise.all(streams.map((stream) => stream.until('chat,hello\n\n')));
        streams.forEach((stream, n) => (n % 3 ? stream.hangUp() : stream.leave()));
        await goneFrom('chat');
      }
      await until(async () => await connections() === before);
    });

    test('who may not listen is told so before a stream begins', async () => {
      const chatter = { ...gateway, token: gateway.tokenOf('chatter') };
      for (const [path, error] of [
        ['subscribe/news', /^NOPERM .* channels /],
        ['subscribe/chat:1/news', /^NOPERM .* channels /],
        ['psubscribe/*', /^NOPERM .* channels /],
        ['monitor', /^NOPERM .* 'monitor' command$/],
        ['subscribe//', /^ERR A channel is empty$/],
        ['psubscribe/h?llo', /%3F$/],
      ]) {
        const stream = await listen(chatter, path);
        await stream.end();
        assert.deepEqual([stream.status, stream.headers['content-type']], [400, 'application/json'], path);
        assert.match(JSON.parse(stream.text).error, error);
      }
      const nobody = await listen({ ...gateway, token: 'wrong' }, 'subscribe/chat:1');
      assert.equal(nobody.status, 401);
      const stream = await listen(chatter, 'subscribe/chat:1');
      await stream.until('\n\n');
      const errors = [];
      const subscriber = new Redis({ url: gateway.url, token: chatter.token }).subscribe(['news']);
      subscriber.on('error', (error) => errors.push(error.message));
      await until(() => errors.length > 0);
      assert.match(errors[0], /NOPERM/);
      stream.hangUp();
    });

    test('a monitor shows commands and no address', async () => {
      const stream = await listen(gateway, 'monitor');
      await stream.until('data: "OK"\n\n');
      await redis.run('SET', 'seen', 'x'.repeat(100_000));
      await stream.until('x"\n\n');
      assert.match(stream.text, /^data: \d+\.\d+ \[0 0\.0\.0\.0:0\] "SET" "seen" "x{100000}"$/m);
      assert.ok(!stream.text.includes('127.0.0.1'));
      stream.hangUp();
    });
  });
}

test('when Redis goes the stream ends, and another begins as soon as Redis is back', async () => {
  const streams = await Promise.all(['subscribe/chat', 'psubscribe/chat', 'monitor'].map((path) => listen(doomed, path)));
  await Promise.all(streams.map((stream) => stream.until('\n\n')));
  process.kill(mortal.pid, 'SIGKILL');
  await mortal.exited;
  for (const stream of streams) {
    await stream.end();
    assert.ok(stream.text.endsWith('\n\n'), stream.text);
  }
  const refused = await listen(doomed, 'subscribe/chat');
  await refused.end();
  assert.deepEqual([refused.status, JSON.parse(refused.text)], [503, { error: 'ERR Redis is unreachable' }]);

  await ownRedis({ on: mortal.port });
  const stream = await listen(doomed, 'subscribe/chat');
  await stream.until('data: subscribe,chat,1\n\n');
  stream.hangUp();
});

test('streams of an instance that crashed end, and those of the next one are fed', async () => {
  const old = await listen(crashing, 'subscribe/chat');
  await old.until('\n\n');
  await listen(crashing, 'get/a', { headers: { 'x-crash': '1' } });
  const next = await listen(crashing, 'subscribe/chat');
  await next.until('\n\n');
  await old.end();
  await observer.run('PUBLISH', 'chat', 'hello');
  await next.until('message,chat,hello\n\n');
  assert.equal(old.text, 'data: subscribe,chat,1\n\n');
  next.hangUp();
});

test('a stream on which nothing happens shows that it lives', async () => {
  await Promise.all(silent.map((stream) => stream.until(': ping\n\n')));
  for (const [n, { redis }] of gateways.entries()) {
    await redis.run('PUBLISH', 'silent', 'at last');
    await silent[n].until('at last\n\n');
    assert.equal(silent[n].text.replaceAll(': ping\n\n', ''), 'data: subscribe,silent,1\n\ndata: message,silent,at last\n\n');
    silent[n].hangUp();
  }
});

test('who left without a word is noticed, though nothing is published', async () => {
  for (const { redis } of gateways) await until(async () => await subscribers(redis, 'gone') === 0);
});

test('nothing that these tests did made the Worker complain', async () => {
  await sleep(100);
  for (const line of [...gateways.flatMap(({ ridge }) => ridge.log), ...doomed.log]) {
    const { level, id, status } = JSON.parse(line);
    assert.ok(id && (level === 'info' || status === 503), line);
  }
});
