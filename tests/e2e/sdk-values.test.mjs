// Keys, values and the server itself through @upstash/redis, against the built Worker: each command as the SDK's own
// documentation shows it, and the value that its users get to see.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { startGateways, withoutOwn } from './support/gateways.mjs';
import { everyWay, fully } from './support/sdk.mjs';

/** Of many scripts, with what JSON, base64 and addresses have a meaning for, and the one text that base64 leaves as it is. */
const TEXTS = [
  'grüße', '日本語', '👩‍👩‍👧 😀', 'a b\tc\r\nd', 'quote " \\ \'', '\u0000\u0001\u007f', '\u2028\u2029', 'a/b?c=d&e#f%20', 'OK', 'T0s=',
  'x'.repeat(100_000),
];

everyWay(await startGateways(), (redis) => {
  beforeEach(async () => assert.equal(await redis.flushdb(), 'OK'));

  describe('values', () => values(redis));
  describe('keys', () => keys(redis));
  describe('the server', () => server(redis));
});

function values(redis) {
  test('what is set comes back with its type', async () => {
    const all = {
      text: 'value', empty: '', number: 42, negative: -1, float: 3.14, yes: true, no: false, null: null,
      list: [1, 'two', null, [3]], object: { name: 'Ada', tags: ['a', 'b'], address: { city: 'London', zip: null } },
    };
    for (const [key, value] of Object.entries(all)) {
      assert.equal(await redis.set(key, value), 'OK');
      assert.deepEqual(await redis.get(key), value, key);
    }
    assert.deepEqual(await redis.mget(...Object.keys(all)), Object.values(all));
    assert.equal(await redis.get('nothing'), null);
    assert.deepEqual(await redis.mget('nothing', 'text'), [null, 'value']);
  });

  test('keys and values hold any text', async () => {
    for (const text of TEXTS) {
      assert.equal(await redis.set(`key of ${text}`, `value of ${text}`), 'OK');
      assert.equal(await redis.get(`key of ${text}`), `value of ${text}`);
      assert.equal(await redis.set(text, text), 'OK');
      assert.equal(await redis.get(text), text);
      assert.deepEqual(await redis.mget(text, text), [text, text]);
    }
  });

  test('integers of more than 53 bits keep their digits', async () => {
    const [large, next] = ['9007199254740993', '9007199254740995'];
    assert.equal(await redis.set('large', large), 'OK');
    assert.equal(await redis.get('large'), large);
    await redis.incrby('large', 2);
    assert.equal(await redis.get('large'), next);
    await redis.hset('hash', { large });
    assert.equal(await redis.hget('hash', 'large'), large);
    assert.deepEqual(await redis.hgetall('hash'), { large });
    assert.deepEqual(await redis.mget('large'), [next]);
  });

  test('numbers are counted up and down', async () => {
    assert.equal(await redis.incr('n'), 1);
    assert.equal(await redis.incrby('n', 41), 42);
    assert.equal(await redis.decr('n'), 41);
    assert.equal(await redis.decrby('n', 2), 39);
    assert.equal(await redis.incrbyfloat('n', 1.5), 40.5);
    assert.equal(await redis.incrbyfloat('n', -0.25), 40.25);
  });

  test('parts of a text are read and written', async () => {
    await redis.set('key', 'Hello World');
    assert.equal(await redis.getrange('key', 0, 4), 'Hello');
    assert.equal(await redis.setrange('key', 6, 'Redis'), 11);
    assert.equal(await redis.append('key', '!'), 12);
    assert.equal(await redis.strlen('key'), 12);
    assert.equal(await redis.getset('key', 'new'), 'Hello Redis!');
    assert.equal(await redis.getdel('key'), 'new');
    assert.equal(await redis.exists('key'), 0);
  });

  test('SET has its conditions and its times', async () => {
    assert.equal(await redis.set('key', 1, { nx: true }), 'OK');
    assert.equal(await redis.set('key', 2, { nx: true }), null);
    assert.equal(await redis.set('key', 3, { xx: true, get: true }), 1);
    assert.equal(await redis.setnx('key', 4), 0);
    assert.equal(await redis.ttl('key'), -1);
    const tomorrow = Math.floor(Date.now() / 1000) + 86_400;
    for (const option of [{ ex: 86_400 }, { px: 86_400_000 }, { exat: tomorrow }, { pxat: tomorrow * 1000 }]) {
      assert.equal(await redis.set('timed', 'x', option), 'OK');
      isWithinADay(await redis.ttl('timed'));
    }
    assert.equal(await redis.set('timed', 'y', { keepTtl: true }), 'OK');
    isWithinADay(await redis.ttl('timed'));
    assert.equal(await redis.set('timed', 'z'), 'OK');
    assert.equal(await redis.ttl('timed'), -1);
    assert.equal(await redis.setex('timed', 86_400, 'x'), 'OK');
    assert.equal(await redis.psetex('timed', 86_400_000, 'x'), 'OK');
    assert.equal(await redis.getex('timed', { persist: true }), 'x');
    assert.equal(await redis.ttl('timed'), -1);
    assert.equal(await redis.getex('timed', { ex: 86_400 }), 'x');
    isWithinADay(await redis.ttl('timed'));
  });

  test('several at once, all or none', async () => {
    assert.equal(await redis.mset({ a: 1, b: { c: 2 } }), 'OK');
    assert.equal(await redis.msetnx({ b: 3, d: 4 }), 0);
    assert.equal(await redis.msetnx({ d: 4 }), 1);
    assert.deepEqual(await redis.mget('a', 'b', 'd'), [1, { c: 2 }, 4]);
  });
}

function keys(redis) {
  test('keys are found, named, copied and deleted', async () => {
    await redis.mset({ one: 1, two: 2, three: 3 });
    assert.equal(await redis.exists('one', 'two', 'nothing'), 2);
    assert.deepEqual((await redis.keys('t*')).sort(), ['three', 'two']);
    assert.equal(await redis.rename('one', 'eins'), 'OK');
    assert.equal(await redis.renamenx('eins', 'two'), 0);
    assert.equal(await redis.copy('eins', 'uno'), 'COPIED');
    assert.equal(await redis.copy('eins', 'uno'), 'NOT_COPIED');
    assert.equal(await redis.type('uno'), 'string');
    assert.equal(await redis.type('nothing'), 'none');
    assert.equal(await redis.touch('uno', 'nothing'), 1);
    assert.equal(await redis.del('uno', 'nothing'), 1);
    assert.equal(await redis.unlink('eins', 'two'), 2);
    assert.equal(await redis.exists(await redis.randomkey()), 1);
  });

  test('a key expires when it is told to', async () => {
    const tomorrow = Math.floor(Date.now() / 1000) + 86_400;
    await redis.set('key', 'x');
    for (const expire of [
      () => redis.expire('key', 86_400),
      () => redis.expireat('key', tomorrow),
      () => redis.pexpire('key', 86_400_000),
      () => redis.pexpireat('key', tomorrow * 1000),
    ]) {
      assert.equal(await expire(), 1);
      isWithinADay(await redis.ttl('key'));
      isWithinADay(await redis.pttl('key') / 1000);
      assert.equal(await redis.persist('key'), 1);
      assert.equal(await redis.ttl('key'), -1);
    }
    assert.equal(await redis.persist('key'), 0);
    assert.equal(await redis.expire('key', 86_400, 'NX'), 1);
    assert.equal(await redis.expire('key', 10, 'NX'), 0);
    assert.equal(await redis.expireat('key', 1), 1);
    assert.equal(await redis.get('key'), null);
    assert.equal(await redis.ttl('key'), -2);
  });

  test('SCAN comes round, with its filters', async () => {
    const all = Array.from({ length: 50 }, (_, n) => `user:${n}`);
    await redis.mset(Object.fromEntries([...all, 'other:1'].map((key) => [key, 'x'])));
    await redis.sadd('user:set', 'member');
    const scanned = async (options) => withoutOwn(await fully((cursor) => redis.scan(cursor, options)));
    assert.deepEqual(await scanned({ match: 'user:*', count: 10 }), [...all, 'user:set'].sort());
    assert.deepEqual(await scanned({ match: 'user:*', count: 10, type: 'set' }), ['user:set']);
    assert.deepEqual(await scanned(), [...all, 'other:1', 'user:set'].sort());
  });
}

function isWithinADay(seconds) {
  assert.ok(seconds > 80_000 && seconds <= 86_400, String(seconds));
}

function server(redis) {
  test('PING, ECHO, TIME, DBSIZE', async () => {
    assert.equal(await redis.ping(), 'PONG');
    assert.equal(await redis.ping(['hello']), 'hello');
    assert.equal(await redis.echo('Hello World'), 'Hello World');
    const [seconds, microseconds] = await redis.time();
    assert.ok(seconds > 1_700_000_000 && microseconds < 1_000_000);
    await redis.mset(Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`key ${n}`, n])));
    const count = await redis.dbsize();
    assert.ok(count >= 1_000 && count < 1_010, `${count}: a few are Ridge's own`);
    assert.equal(await redis.flushall(), 'OK');
    assert.ok(await redis.dbsize() < 10);
  });

  test('a client may say who it is', async () => {
    assert.equal(await redis.clientSetinfo('LIB-NAME', 'my-library'), 'OK');
  });

  test('what fails says why, as Redis does', async () => {
    await redis.set('text', 'value');
    await assert.rejects(redis.incr('text'), /ERR value is not an integer or out of range/);
    await assert.rejects(redis.lpush('text', 'x'), /WRONGTYPE Operation against a key holding the wrong kind of value/);
    await assert.rejects(redis.rename('nothing', 'x'), /ERR no such key/);
    await assert.rejects(redis.get(), /ERR wrong number of arguments for 'get' command/);
    await assert.rejects(redis.exec(['nonsense', 'x']), /ERR unknown command/);
    await assert.rejects(redis.exec(['set', 'text', 'x', 'nonsense']), /ERR syntax error/);
    assert.equal(await redis.get('text'), 'value');
  });

  test('commands that the SDK has no method for', async () => {
    assert.equal(await redis.exec(['SET', 'key', 'value']), 'OK');
    assert.equal(await redis.exec(['OBJECT', 'ENCODING', 'key']), 'embstr');
  });
}
