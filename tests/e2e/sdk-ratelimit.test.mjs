// @upstash/ratelimit against the built Worker: every algorithm, and all that it keeps beside the counts. Its scripts begin with
// Upstash's own `#!lua flags=allow-key-locking`, and it knows them by the hash of that text.
//
// The windows are days long: a test that happens to run across the end of one would be told otherwise, so `inOneWindow` begins it anew.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { IpDenyList, Ratelimit, MultiRegionRatelimit } from '@upstash/ratelimit';
import { Redis } from '@upstash/redis';
import { startGateways } from './support/gateways.mjs';

const DAY_MS = 86_400_000;
const WINDOW = '30 d';
const WINDOW_MS = 30 * DAY_MS;

/** Rate limiters are told apart by their prefixes, so that none finds what another has left. */
let prefixes = 0;
const freshPrefix = () => `ratelimit:${++prefixes}`;

const gateways = await startGateways();
const clients = gateways.map(({ url, token }) => new Redis({ url, token }));

/** A limiter that remembers nothing by itself: every answer is Redis's. */
const limiterOf = (redis, limiter, options) => new Ratelimit({ redis, limiter, prefix: freshPrefix(), ephemeralCache: false, timeout: 0, ...options });

/** Runs a test from its beginning until the same window has lasted from its beginning to its end. */
async function inOneWindow(body) {
  for (;;) {
    const before = Math.floor(Date.now() / WINDOW_MS);
    const failure = await body().then(() => undefined, (error) => error);
    if (Math.floor(Date.now() / WINDOW_MS) !== before) continue;
    if (failure) throw failure;
    return;
  }
}

const inOneWindowTest = (name, body) => test(name, () => inOneWindow(body));

const shown = ({ success, limit, remaining }) => ({ success, limit, remaining });
const sorted = (list) => list.sort((a, b) => a.identifier.localeCompare(b.identifier));

for (const [index, { name }] of gateways.entries()) {
  describe(`over ${name}`, () => singleRegion(clients[index], gateways[index].redis));
}
describe('over both, as two regions', () => multiRegion(clients));

function singleRegion(redis, behind) {
  const algorithms = {
    fixedWindow: () => Ratelimit.fixedWindow(3, WINDOW),
    slidingWindow: () => Ratelimit.slidingWindow(3, WINDOW),
    tokenBucket: () => Ratelimit.tokenBucket(3, WINDOW, 3),
  };
  for (const [name, algorithm] of Object.entries(algorithms)) {
    describe(name, () => counting(redis, behind, algorithm));
  }
  describe('cachedFixedWindow', () => cached(redis));
  describe('beside the counts', () => beside(redis, behind));
}

function counting(redis, behind, algorithm) {
  inOneWindowTest('lets through as many as it says', async () => {
    const ratelimit = limiterOf(redis, algorithm());
    for (const remaining of [2, 1, 0]) {
      const answer = await ratelimit.limit('id');
      assert.deepEqual(shown(answer), { success: true, limit: 3, remaining });
      assert.ok(answer.reset > Date.now() && answer.reset <= Date.now() + WINDOW_MS);
    }
    assert.deepEqual(shown(await ratelimit.limit('id')), { success: false, limit: 3, remaining: 0 });
    assert.equal((await ratelimit.limit('another')).success, true);
  });

  inOneWindowTest('may be asked for several at once, and how many are left', async () => {
    const ratelimit = limiterOf(redis, algorithm());
    assert.equal((await ratelimit.getRemaining('id')).remaining, 3);
    assert.equal((await ratelimit.limit('id', { rate: 2 })).remaining, 1);
    const { remaining, limit, reset } = await ratelimit.getRemaining('id');
    assert.deepEqual([remaining, limit], [1, 3]);
    assert.ok(reset > Date.now());
    assert.equal((await ratelimit.limit('id', { rate: -1 })).remaining, 2);
  });

  inOneWindowTest('forgets when it is told to', async () => {
    const ratelimit = limiterOf(redis, algorithm());
    await ratelimit.limit('id', { rate: 3 });
    await ratelimit.limit('another', { rate: 2 });
    assert.equal((await ratelimit.limit('id')).success, false);
    await ratelimit.resetUsedTokens('id');
    assert.equal((await ratelimit.getRemaining('id')).remaining, 3);
    assert.equal((await ratelimit.getRemaining('another')).remaining, 1);
    assert.equal((await ratelimit.limit('id')).success, true);
  });

  inOneWindowTest('counts right however many ask at once', async () => {
    const ratelimit = limiterOf(redis, algorithm());
    const answers = await Promise.all(Array.from({ length: 20 }, () => ratelimit.limit('id')));
    assert.equal(answers.filter(({ success }) => success).length, 3);
  });

  inOneWindowTest('takes its limit from Redis if it is dynamic', async () => {
    const ratelimit = limiterOf(redis, algorithm(), { dynamicLimits: true });
    assert.deepEqual(await ratelimit.getDynamicLimit(), { dynamicLimit: null });
    await ratelimit.setDynamicLimit({ limit: 1 });
    assert.deepEqual(await ratelimit.getDynamicLimit(), { dynamicLimit: 1 });
    assert.deepEqual(shown(await ratelimit.limit('id')), { success: true, limit: 1, remaining: 0 });
    assert.equal((await ratelimit.limit('id')).success, false);
    await ratelimit.setDynamicLimit({ limit: false });
    assert.deepEqual(shown(await ratelimit.limit('other')), { success: true, limit: 3, remaining: 2 });
  });

  inOneWindowTest('works from a Redis that has forgotten its scripts', async () => {
    const ratelimit = limiterOf(redis, algorithm());
    for (const remaining of [2, 1]) {
      await behind.run('SCRIPT', 'FLUSH');
      assert.equal((await ratelimit.limit('id')).remaining, remaining);
    }
  });

  inOneWindowTest('needs no Redis to refuse again whom it has refused', async () => {
    const ratelimit = limiterOf(redis, algorithm(), { ephemeralCache: new Map() });
    await ratelimit.limit('id', { rate: 3 });
    assert.equal((await ratelimit.limit('id')).reason, undefined);
    assert.equal((await ratelimit.limit('id')).reason, 'cacheBlock');
  });

  inOneWindowTest('leaves nothing behind for ever', async () => {
    const ratelimit = limiterOf(redis, algorithm());
    await ratelimit.limit('id');
    const keys = await behind.run('KEYS', `${ratelimit.prefix}:*`);
    assert.equal(keys.length, 1);
    assert.ok(await behind.run('PTTL', keys[0]) > 0);
  });
}

function cached(redis) {
  inOneWindowTest('answers from memory and writes behind it', async () => {
    const ratelimit = limiterOf(redis, Ratelimit.cachedFixedWindow(3, WINDOW), { ephemeralCache: new Map() });
    for (const remaining of [2, 1, 0]) {
      const { pending, ...answer } = await ratelimit.limit('id');
      assert.deepEqual(shown(answer), { success: true, limit: 3, remaining });
      await pending;
    }
    assert.equal((await ratelimit.limit('id')).success, false);
    const elsewhere = limiterOf(redis, Ratelimit.cachedFixedWindow(3, WINDOW), { ephemeralCache: new Map(), prefix: ratelimit.prefix });
    assert.equal((await elsewhere.getRemaining('id')).remaining, 0);
    assert.equal((await elsewhere.limit('id')).success, false);
    await elsewhere.resetUsedTokens('id');
    assert.equal((await elsewhere.getRemaining('id')).remaining, 3);
  });
}

function beside(redis, behind) {
  inOneWindowTest('blockUntilReady gives way at once, or not within its time', async () => {
    const ratelimit = limiterOf(redis, Ratelimit.fixedWindow(1, WINDOW));
    assert.equal((await ratelimit.blockUntilReady('id', 60_000)).success, true);
    assert.equal((await ratelimit.blockUntilReady('id', 50)).success, false);
  });

  test('blockUntilReady lets through when the window is over', async () => {
    const ratelimit = limiterOf(redis, Ratelimit.tokenBucket(1, '200 ms', 1));
    for (let i = 0; i < 3; i++) assert.equal((await ratelimit.blockUntilReady('id', 60_000)).success, true);
  });

  inOneWindowTest('analytics are written, and read again', async () => {
    const ratelimit = limiterOf(redis, Ratelimit.fixedWindow(1, WINDOW), { analytics: true });
    for (const id of ['ada', 'ada', 'ada', 'bob']) {
      const { pending } = await ratelimit.limit(id);
      await pending;
    }
    const { allowed, ratelimited, denied } = await ratelimit.analytics.getMostAllowedBlocked(2);
    assert.deepEqual(sorted(allowed), [{ identifier: 'ada', count: 1 }, { identifier: 'bob', count: 1 }]);
    assert.deepEqual([ratelimited, denied], [[{ identifier: 'ada', count: 2 }], []]);
    const usage = await ratelimit.analytics.getUsage(Date.now() - 7_200_000);
    assert.deepEqual(usage, { ada: { success: 1, blocked: 2 }, bob: { success: 1, blocked: 0 } });
    const hours = await ratelimit.analytics.getUsageOverTime(2, 'identifier');
    assert.equal(hours.reduce((sum, { identifier = {} }) => sum + (identifier.ada ?? 0), 0), 3);
  });

  inOneWindowTest('a deny list refuses names, addresses and agents', async () => {
    const ratelimit = limiterOf(redis, Ratelimit.fixedWindow(10, WINDOW), { enableProtection: true, analytics: true });
    const { prefix } = ratelimit;
    // As the console of Upstash does it. Without it the SDK would fetch a list of addresses from a server of others.
    await IpDenyList.disableIpDenyList(redis, prefix);
    await redis.sadd(`${prefix}:denyList:all`, `mallory of ${prefix}`, `6.6.6.6 of ${prefix}`);
    assert.equal((await ratelimit.limit('ada', { ip: '1.2.3.4', userAgent: 'curl', country: 'SE' })).success, true);
    for (const [id, request, deniedValue] of [
      [`mallory of ${prefix}`, {}, `mallory of ${prefix}`],
      ['ada', { ip: `6.6.6.6 of ${prefix}` }, `6.6.6.6 of ${prefix}`],
      ['ada', { ip: `6.6.6.6 of ${prefix}` }, `6.6.6.6 of ${prefix}`], // now from the SDK's memory
    ]) {
      const { pending, ...answer } = await ratelimit.limit(id, request);
      assert.deepEqual([answer.success, answer.reason, answer.deniedValue], [false, 'denyList', deniedValue]);
      await pending;
    }
    const { denied } = await ratelimit.analytics.getMostAllowedBlocked(2);
    assert.deepEqual(sorted(denied), [{ identifier: `6.6.6.6 of ${prefix}`, count: 2 }, { identifier: `mallory of ${prefix}`, count: 1 }]);
  });

  describe('the list of bad addresses', () => {
    const { fetch } = globalThis;
    let list;
    // The SDK gets it from a server of others; here it gets it from us.
    before(() => {
      globalThis.fetch = (url, ...rest) => (String(url).endsWith('/6.txt') ? new Response(list.join('\n')) : fetch(url, ...rest));
    });
    after(() => { globalThis.fetch = fetch; });

    inOneWindowTest('is fetched once, and kept in one transaction', async () => {
      const ratelimit = limiterOf(redis, Ratelimit.fixedWindow(10, WINDOW), { enableProtection: true });
      // Not those of another test: the SDK remembers whom it has refused, whichever limiter it was.
      list = Array.from({ length: 5_000 }, (_, n) => `10.${prefixes}.${n >> 8}.${n & 255}`);
      const first = await ratelimit.limit('ada', { ip: list[7] });
      assert.equal(first.success, true);
      await first.pending;
      assert.equal(await behind.run('SCARD', `${ratelimit.prefix}:denyList:all`), list.length);
      assert.equal(await redis.get(`${ratelimit.prefix}:ipDenyListStatus`), 'valid');
      assert.equal((await ratelimit.limit('ada', { ip: list[7] })).reason, 'denyList');
    });
  });
}

function multiRegion(regions) {
  const algorithms = {
    fixedWindow: () => MultiRegionRatelimit.fixedWindow(3, WINDOW),
    slidingWindow: () => MultiRegionRatelimit.slidingWindow(3, WINDOW),
  };
  for (const [name, algorithm] of Object.entries(algorithms)) {
    inOneWindowTest(`${name}: what one region has counted, both know`, async () => {
      const prefix = freshPrefix();
      const limit = async (redis) => {
        const { pending, ...answer } = await new MultiRegionRatelimit({ redis, limiter: algorithm(), prefix, timeout: 0 }).limit('id');
        await pending;
        return answer;
      };
      for (const remaining of [2, 1, 0]) assert.deepEqual(shown(await limit(regions)), { success: true, limit: 3, remaining });
      assert.equal((await limit(regions)).success, false);
      for (const region of regions) assert.equal((await limit([region])).success, false);
    });

    inOneWindowTest(`${name}: tells what is left, and forgets`, async () => {
      const ratelimit = new MultiRegionRatelimit({ redis: regions, limiter: algorithm(), prefix: freshPrefix(), timeout: 0, analytics: true });
      const { pending } = await ratelimit.limit('id', { rate: 2 });
      await pending;
      assert.equal((await ratelimit.getRemaining('id')).remaining, 1);
      await ratelimit.resetUsedTokens('id');
      // It does not wait for the regions by itself.
      while ((await Promise.all(regions.map((redis) => redis.keys(`${ratelimit.prefix}:id:*`)))).flat().length > 0);
      assert.equal((await ratelimit.getRemaining('id')).remaining, 3);
    });
  }
}
