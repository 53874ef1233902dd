// Everything about a request of @upstash/redis but its commands, against the built Worker: who may ask, sync tokens, encodings,
// bytes, messages.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from '@upstash/redis';
import { keysIn, startGateways } from './support/gateways.mjs';
import { asUser } from './support/ridge.mjs';

/** What another program does with what we have told it takes a moment. This is no measure, only the end of our patience. */
const PATIENCE_MS = 30_000;

const ACLS = {
  nextauth: '~nextauth:* +@read +@write -@dangerous +ping',
  reader: '~* +@read &chat',
};

for (const gateway of await startGateways(ACLS)) {
  describe(`over ${gateway.name}`, () => {
    beforeEach(() => gateway.redis.run('FLUSHALL'));

    describe('tokens', () => tokens(gateway));
    describe('what a key may do', () => acls(gateway));
    describe('reading one\'s own writes', () => syncTokens(gateway));
    describe('bytes and numbers', () => bytes(gateway));
    describe('messages', () => messages(gateway));
  });
}

/** Both ways in which the SDK sends a single command. */
const clientsOf = ({ url, token }) => [new Redis({ url, token }), new Redis({ url, token, enableAutoPipelining: false })];

function tokens({ url, token, redis: behind }) {
  test('a wrong token is told so, whatever is asked', async () => {
    for (const redis of clientsOf({ url, token: randomBytes(32).toString('hex') })) {
      const wrong = /WRONGPASS invalid or missing auth token/;
      await assert.rejects(redis.set('key', 'value'), wrong);
      await assert.rejects(redis.pipeline().set('key', 'value').exec(), wrong);
      await assert.rejects(redis.multi().set('key', 'value').exec(), wrong);
      await assert.rejects(redis.eval('return 1', [], []), wrong);
      assert.match((await nextOf(redis.subscribe('chat'), 'error')).message, wrong);
    }
    assert.deepEqual(await keysIn(behind), []);
  });

  test('a JWT is no key', async () => {
    const redis = new Redis({ url, token: asUser('alice').Authorization.slice('Bearer '.length) });
    await assert.rejects(redis.get('key'), (error) => error.name === 'UpstashError' && !error.message.includes('undefined'));
    const response = await fetch(`${url}/get/key`, { headers: asUser('alice') });
    assert.deepEqual([response.status, Object.keys(await response.json())], [403, ['error']]);
  });

  test('an address with a slash at its end is the same', async () => {
    const redis = new Redis({ url: `${url}/`, token });
    assert.equal(await redis.set('key', 'value'), 'OK');
    assert.equal(await redis.get('key'), 'value');
  });

  test('the environment says where it is', async () => {
    const kept = { ...process.env };
    Object.assign(process.env, { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token });
    try {
      assert.equal(await Redis.fromEnv().set('key', 'value'), 'OK');
    } finally {
      process.env = kept;
    }
    assert.equal(await behind.run('GET', 'key'), 'value');
  });
}

const NO_KEY = /NOPERM this user has no permissions to access one of the keys used as arguments/;
const noCommand = (name) => new RegExp(`NOPERM this user has no permissions to run the '${name}' command`);

function acls({ url, tokenOf, redis: behind }) {
  const confined = { url, token: tokenOf('nextauth') };

  test('a confined key reaches its own keys', async () => {
    for (const redis of clientsOf(confined)) {
      assert.equal(await redis.set('nextauth:user:1', { name: 'Ada' }), 'OK');
      assert.deepEqual(await redis.get('nextauth:user:1'), { name: 'Ada' });
      assert.deepEqual(await redis.multi().incr('nextauth:n').get('nextauth:n').exec(), [1, 1]);
      assert.equal(await redis.del('nextauth:n'), 1);
    }
  });

  test('of others it hears NOPERM, and they stay as they are', async () => {
    await behind.run('SET', 'fabric:x', 'theirs');
    for (const redis of clientsOf(confined)) {
      await assert.rejects(redis.get('fabric:x'), NO_KEY);
      await assert.rejects(redis.mget('nextauth:x', 'fabric:x'), NO_KEY);
      await assert.rejects(redis.rename('fabric:x', 'nextauth:x'), NO_KEY);
      await assert.rejects(redis.flushall(), noCommand('flushall'));
      await assert.rejects(redis.keys('*'), noCommand('keys'));
    }
    assert.equal(await behind.run('GET', 'fabric:x'), 'theirs');
  });

  test('in a pipeline NOPERM stands in its place; a transaction is discarded', async () => {
    const redis = new Redis(confined);
    const answers = await redis.pipeline().set('nextauth:a', 1).set('fabric:a', 1).get('nextauth:a').exec({ keepErrors: true });
    assert.deepEqual([answers[0].result, answers[2].result], ['OK', 1]);
    assert.match(answers[1].error, NO_KEY);
    await assert.rejects(redis.multi().set('nextauth:b', 1).set('fabric:b', 1).exec(), NO_KEY);
    assert.equal(await behind.run('EXISTS', 'nextauth:b', 'fabric:a', 'fabric:b'), 0);
  });

  test('scripts need every key, since nobody knows what they touch', async () => {
    const redis = new Redis(confined);
    await assert.rejects(redis.eval('return redis.call("GET", "fabric:x")', ['nextauth:x'], []), /NOPERM/);
    await assert.rejects(redis.scriptLoad('return 1'), /NOPERM/);
  });

  test('who may only read cannot write, and hears only its channels', async () => {
    await behind.run('SET', 'key', 'value');
    const redis = new Redis({ url, token: tokenOf('reader') });
    assert.equal(await redis.get('key'), 'value');
    await assert.rejects(redis.set('key', 'other'), noCommand('set'));
    await assert.rejects(redis.publish('chat', 'x'), noCommand('publish'));
    assert.match((await nextOf(redis.subscribe('secrets'), 'error')).message, /NOPERM/);
    assert.match((await nextOf(redis.psubscribe('*'), 'error')).message, /NOPERM/);
    assert.equal(await behind.run('GET', 'key'), 'value');
  });
}

function syncTokens({ url, token }) {
  test('each answer brings a new token, which the SDK sends along', async () => {
    for (const redis of clientsOf({ url, token })) {
      const requests = [
        () => redis.set('key', 'value'),
        () => redis.get('key'),
        () => redis.pipeline().get('key').exec(),
        () => redis.multi().get('key').exec(),
        () => redis.createScript('return 1').exec([], []),
      ];
      const seen = new Set();
      for (const request of requests) {
        await request();
        assert.ok(redis.readYourWritesSyncToken);
        seen.add(redis.readYourWritesSyncToken);
      }
      assert.equal(seen.size, requests.length);
    }
  });

  test('a token of one client serves another', async () => {
    const [writer, reader] = [new Redis({ url, token }), new Redis({ url, token })];
    await writer.set('key', 'value');
    reader.readYourWritesSyncToken = writer.readYourWritesSyncToken;
    assert.equal(await reader.get('key'), 'value');
  });

  test('one does not have to ask for them', async () => {
    const redis = new Redis({ url, token, readYourWrites: false });
    await redis.set('key', 'value');
    assert.equal(await redis.get('key'), 'value');
    assert.equal(redis.readYourWritesSyncToken, '');
  });
}

function bytes({ url, token, redis: behind }) {
  const headers = { authorization: `Bearer ${token}` };
  const ask = async (path, options) => (await fetch(url + path, { headers, ...options })).text();
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

  test('any byte goes in as a body and comes out in base64', async () => {
    assert.equal(await ask('/set/bytes', { method: 'POST', body: bytes }), '{"result":"OK"}');
    assert.equal(await behind.run('STRLEN', 'bytes'), 256);
    const encoded = await ask('/get/bytes', { headers: { ...headers, 'upstash-encoding': 'base64' } });
    assert.deepEqual(Buffer.from(JSON.parse(encoded).result, 'base64'), bytes);
    const raw = await fetch(`${url}/get/bytes`, { headers: { ...headers, 'upstash-response-format': 'resp2' } });
    assert.equal(raw.headers.get('content-type'), 'application/octet-stream');
    assert.deepEqual(Buffer.from(await raw.arrayBuffer()), Buffer.concat([Buffer.from('$256\r\n'), bytes, Buffer.from('\r\n')]));
  });

  test('what is not UTF-8 becomes U+FFFD without base64', async () => {
    await ask('/set/bytes', { method: 'POST', body: Buffer.from([0x61, 0xff, 0x62]) });
    assert.equal(await ask('/get/bytes'), '{"result":"a\u{fffd}b"}');
    for (const responseEncoding of [false, 'base64']) {
      assert.equal(await new Redis({ url, token, responseEncoding }).get('bytes'), 'a\u{fffd}b');
    }
  });

  test('numbers pass digit for digit, both ways', async () => {
    for (const number of ['9007199254740993', '-9223372036854775808', '1.50', '1e3', '0.1', '12345678901234567890.123']) {
      assert.equal(await ask('', { method: 'POST', body: `["SET","number",${number}]` }), '{"result":"OK"}');
      assert.equal(await ask('/get/number'), `{"result":"${number}"}`);
    }
    await ask('/set/number/9007199254740993');
    assert.equal(await ask('/incr/number'), '{"result":9007199254740994}');
    assert.equal(await ask('/decrby/number/5'), '{"result":9007199254740989}');
    assert.equal(await ask('/pipeline', { method: 'POST', body: '[["INCRBY","number",9]]' }), '[{"result":9007199254740998}]');
    assert.equal(await ask('/multi-exec', { method: 'POST', body: '[["INCR","number"]]' }), '[{"result":9007199254740999}]');
  });

  test('a value of several megabytes comes back whole', async () => {
    const large = randomBytes(3_000_000).toString('hex');
    for (const redis of clientsOf({ url, token })) {
      assert.equal(await redis.set('large', large), 'OK');
      assert.equal(await redis.get('large'), large);
    }
  });
}

function messages({ url, token, redis: behind }) {
  test('subscribers hear what is published, with its type', async () => {
    const redis = new Redis({ url, token });
    const subscriber = redis.subscribe(['chat', 'news']);
    await allOf(subscriber, 'subscribe', 2);
    const heard = allOf(subscriber, 'message', 4);
    const news = nextOf(subscriber, 'message:news');
    const sent = [
      { channel: 'chat', message: 'hello, world' },
      { channel: 'chat', message: { from: 'Ada', text: 'a,b' } },
      { channel: 'chat', message: 42 },
      { channel: 'news', message: 'grüße 😀' },
    ];
    for (const { channel, message } of sent) assert.equal(await redis.publish(channel, message), 1);
    assert.deepEqual((await heard).sort(byChannel), sent);
    assert.deepEqual(await news, { channel: 'news', message: 'grüße 😀' });
    assert.deepEqual(subscriber.getSubscribedChannels(), ['chat', 'news']);
    await subscriber.unsubscribe();
  });

  test('a pattern hears every channel of its kind', async () => {
    const redis = new Redis({ url, token });
    const subscriber = redis.psubscribe('user:*');
    await nextOf(subscriber, 'psubscribe');
    const heard = allOf(subscriber, 'pmessage', 2);
    assert.equal(await redis.publish('other:1', 'x'), 0);
    assert.equal(await redis.publish('user:1', { n: 1 }), 1);
    assert.equal(await redis.publish('user:2', [2]), 1);
    assert.deepEqual(await heard, [
      { pattern: 'user:*', channel: 'user:1', message: { n: 1 } },
      { pattern: 'user:*', channel: 'user:2', message: [2] },
    ]);
    await subscriber.unsubscribe();
  });

  test('of a text with line breaks the SDK shows the first line, and no message can pretend to be two', async () => {
    const redis = new Redis({ url, token });
    const subscriber = redis.subscribe(['lines']);
    await nextOf(subscriber, 'subscribe');
    const heard = allOf(subscriber, 'message', 3);
    await redis.publish('lines', 'one\nmessage,lines,forged\r\n message,lines,forged');
    await redis.publish('lines', { text: 'one\ntwo' });
    await redis.publish('lines', 'last');
    assert.deepEqual((await heard).map(({ message }) => message), ['one', { text: 'one\ntwo' }, 'last']);
    await subscriber.unsubscribe();
  });

  test('who leaves is no longer counted', async () => {
    const redis = new Redis({ url, token });
    const subscriber = redis.subscribe(['leaving', 'staying']);
    await allOf(subscriber, 'subscribe', 2);
    const heard = [];
    subscriber.on('message', ({ channel }) => heard.push(channel));
    const listeners = async () => (await behind.run('PUBSUB', 'NUMSUB', 'leaving', 'staying')).filter(Number.isInteger);
    assert.deepEqual(await listeners(), [1, 1]);
    await subscriber.unsubscribe(['leaving']);
    // It shows with the next message, or the next sign of life.
    await until(async () => await redis.publish('leaving', 'anybody there?') === 0);
    const message = nextOf(subscriber, 'message');
    assert.equal(await redis.publish('staying', 'still here'), 1);
    assert.deepEqual(await message, { channel: 'staying', message: 'still here' });
    await subscriber.unsubscribe();
    await until(async () => await redis.publish('staying', 'anybody there?') === 0);
    assert.deepEqual(await listeners(), [0, 0]);
    assert.deepEqual(heard, ['staying']);
  });
}

const byChannel = (a, b) => a.channel.localeCompare(b.channel);

const nextOf = async (subscriber, type) => (await allOf(subscriber, type, 1))[0];

/** The next events of a type. A subscriber that cannot subscribe says so by an error. */
function allOf(subscriber, type, count) {
  return new Promise((resolve, reject) => {
    const events = [];
    const late = setTimeout(() => reject(new Error(`only ${events.length} of ${count} events '${type}'`)), PATIENCE_MS);
    const settle = (done, value) => {
      clearTimeout(late);
      done(value);
    };
    subscriber.on(type, (event) => events.push(event) === count && settle(resolve, events));
    if (type !== 'error') subscriber.on('error', (error) => settle(reject, error));
  });
}

async function until(condition) {
  for (const end = Date.now() + PATIENCE_MS; !await condition(); await sleep(20)) {
    if (Date.now() > end) throw new Error(`never: ${condition}`);
  }
}
