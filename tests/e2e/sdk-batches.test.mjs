// Many commands in one request through @upstash/redis, against the built Worker: pipelines, transactions, scripts and functions.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { beforeEach, describe, test } from 'node:test';
import { Redis } from '@upstash/redis';
import { startGateways } from './support/gateways.mjs';
import { everyWay } from './support/sdk.mjs';

const gateways = await startGateways();

everyWay(gateways, (redis) => {
  beforeEach(async () => assert.equal(await redis.flushdb(), 'OK'));

  describe('pipelines', () => pipelines(redis));
  describe('transactions', () => transactions(redis));
  describe('scripts', () => scripts(redis));
  describe('functions', () => functions(redis));
});

for (const { name, url, token, redis: behind } of gateways) {
  test(`over ${name}, what is asked for at once goes out in one request`, async () => {
    const redis = new Redis({ url, token });
    const requests = [];
    redis.use((request, next) => {
      requests.push(request.path?.[0] ?? 'command');
      return next(request);
    });
    const written = await Promise.all([redis.set('a', 1), redis.incr('a'), redis.hset('b', { c: 2 })]);
    assert.deepEqual(written, ['OK', 2, 1]);
    const read = await Promise.allSettled([redis.get('a'), redis.hget('b', 'c'), redis.llen('a')]);
    assert.deepEqual(read.slice(0, 2).map(({ value }) => value), [2, 2]);
    assert.match(read[2].reason.message, /WRONGTYPE/);
    assert.deepEqual(requests, ['pipeline', 'pipeline']);
    await behind.run('FLUSHDB');
  });
}

function pipelines(redis) {
  test('answers come in the order of the commands', async () => {
    const pipeline = redis.pipeline();
    pipeline.set('foo', 1);
    pipeline.incr('foo');
    pipeline.hset('ada', { name: 'Ada', tags: ['x'] });
    pipeline.hgetall('ada');
    pipeline.get('nothing');
    pipeline.zadd('board', { score: 1.5, member: 'one' });
    pipeline.zrange('board', 0, -1, { withScores: true });
    assert.equal(pipeline.length(), 7);
    assert.deepEqual(await pipeline.exec(), ['OK', 2, 2, { name: 'Ada', tags: ['x'] }, null, 1, ['one', 1.5]]);
    assert.deepEqual(await redis.pipeline().set('foo', 'bar').get('foo').exec(), ['OK', 'bar']);
  });

  test('a command that fails leaves the others as they are', async () => {
    const pipeline = () => redis.pipeline().set('text', 'value').incr('text').get('text');
    assert.deepEqual(await pipeline().exec({ keepErrors: true }), [
      { error: undefined, result: 'OK' },
      { error: 'ERR value is not an integer or out of range', result: undefined },
      { error: undefined, result: 'value' },
    ]);
    await assert.rejects(pipeline().exec(), /Command 2 \[ incr \] failed: ERR value is not an integer or out of range/);
  });

  test('a thousand commands go out together', async () => {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 1_000; i++) pipeline.rpush('list', i);
    assert.deepEqual(await pipeline.exec(), Array.from({ length: 1_000 }, (_, i) => i + 1));
    assert.equal(await redis.llen('list'), 1_000);
  });

  test('commands that the gateway refuses are errors in their place', async () => {
    const answers = await redis.pipeline().set('a', 1).xread('stream', '$', { blockMS: 1 }).get('a').exec({ keepErrors: true });
    assert.deepEqual([answers[0].result, answers[2].result], ['OK', 1]);
    assert.match(answers[1].error, /^ERR /);
  });
}

function transactions(redis) {
  test('all commands run as one', async () => {
    const transaction = redis.multi();
    transaction.set('foo', 1).incr('foo').hset('ada', { name: 'Ada' }).hgetall('ada').get('foo').get('nothing');
    assert.deepEqual(await transaction.exec(), ['OK', 2, 1, { name: 'Ada' }, 2, null]);
  });

  test('a command that fails while it runs does not undo the others', async () => {
    const answers = await redis.multi().set('text', 'value').incr('text').set('after', 1).exec({ keepErrors: true });
    assert.deepEqual(answers.map(({ error }) => error), [undefined, 'ERR value is not an integer or out of range', undefined]);
    assert.deepEqual(await redis.mget('text', 'after'), ['value', 1]);
  });

  test('one that cannot run at all is discarded whole', async () => {
    const wrong = [
      [(transaction) => transaction.get(), /ERR wrong number of arguments for 'get' command/],
      [(transaction) => transaction.xread('stream', '$', { blockMS: 1 }), /ERR /],
    ];
    for (const [add, error] of wrong) {
      const transaction = redis.multi().set('before', 1);
      add(transaction);
      await assert.rejects(transaction.set('after', 1).exec(), error);
      assert.deepEqual(await redis.mget('before', 'after'), [null, null]);
    }
  });

  test('two of them never mix', async () => {
    const reads = [];
    for (let i = 0; i < 20; i++) {
      reads.push(redis.multi().incr('n').incr('n').get('n').exec());
    }
    for (const [first, second, last] of await Promise.all(reads)) {
      assert.deepEqual([first + 1, last], [second, second]);
    }
    assert.equal(await redis.get('n'), 40);
  });
}

/** What the SDKs of Upstash write: elsewhere that flag is unknown. */
const LOCKING = `#!lua flags=allow-key-locking
  redis.call('SET', KEYS[1], ARGV[1])
  return {redis.call('GET', KEYS[1]), #ARGV}
`;

const sha1 = (text) => createHash('sha1').update(text).digest('hex');

function scripts(redis) {
  beforeEach(async () => assert.equal(await redis.scriptFlush(), 'OK'));

  test('EVAL takes keys and arguments, and gives what Lua gives', async () => {
    assert.deepEqual(await redis.eval('return {KEYS[1], ARGV[1], ARGV[2]}', ['key'], ['Hello', { a: 1 }]), ['key', 'Hello', { a: 1 }]);
    assert.equal(await redis.eval('return 3.9', [], []), 3);
    assert.equal(await redis.eval('return false', [], []), null);
    assert.equal(await redis.eval("return redis.status_reply('FINE')", [], []), 'FINE');
    assert.equal(await redis.evalRo('return redis.call("GET", KEYS[1])', ['nothing'], []), null);
    await assert.rejects(redis.eval('return redis.error_reply("ERR mine")', [], []), /ERR mine/);
    await assert.rejects(redis.eval('return nonsense(', [], []), /ERR Error compiling script/);
    await assert.rejects(redis.evalRo('return redis.call("SET", KEYS[1], 1)', ['key'], []), /Write commands are not allowed from read-only scripts/);
  });

  test('a script is loaded once, and called by its hash', async () => {
    const hash = await redis.scriptLoad('return ARGV[1]');
    assert.equal(hash, sha1('return ARGV[1]'));
    assert.deepEqual(await redis.scriptExists(hash, sha1('another')), [1, 0]);
    assert.equal(await redis.evalsha(hash, [], ['Hello']), 'Hello');
    assert.equal(await redis.evalshaRo(hash, [], ['Hello']), 'Hello');
    await assert.rejects(redis.evalsha(sha1('another'), [], []), /NOSCRIPT/);
    assert.equal(await redis.scriptFlush(), 'OK');
    await assert.rejects(redis.evalsha(hash, [], ['Hello']), /NOSCRIPT/);
  });

  test('createScript finds its own way', async () => {
    const script = redis.createScript('return ARGV[1]');
    for (let i = 0; i < 3; i++) assert.equal(await script.exec([], ['Hello World']), 'Hello World');
    assert.equal(await script.evalsha([], ['again']), 'again');
    assert.equal(await script.eval([], ['again']), 'again');
    const reading = redis.createScript('return redis.call("GET", KEYS[1])', { readonly: true });
    await redis.set('key', 'value');
    for (let i = 0; i < 2; i++) assert.equal(await reading.exec(['key'], []), 'value');
  });

  test("a script with Upstash's own flag runs, by text and by the hash of that text", async () => {
    await assert.rejects(redis.evalsha(sha1(LOCKING), ['key'], ['x']), /NOSCRIPT/);
    assert.deepEqual(await redis.eval(LOCKING, ['key'], ['one', 2]), ['one', 2]);
    assert.deepEqual(await redis.evalsha(sha1(LOCKING), ['key'], ['two']), ['two', 1]);
    assert.equal(await redis.get('key'), 'two');
    const script = redis.createScript(LOCKING);
    for (let i = 0; i < 2; i++) assert.deepEqual(await script.exec(['key'], ['three']), ['three', 1]);
  });

  test('such a script is found after SCRIPT LOAD too, in a pipeline and in a transaction', async () => {
    assert.equal(await redis.scriptLoad(LOCKING), sha1(LOCKING));
    assert.deepEqual(await redis.scriptExists(sha1(LOCKING)), [1]);
    for (const batch of [redis.pipeline(), redis.multi()]) {
      assert.deepEqual(await batch.evalsha(sha1(LOCKING), ['key'], ['two']).eval(LOCKING, ['key'], ['three']).exec(), [['two', 1], ['three', 1]]);
    }
  });
}

function functions(redis) {
  const code = "#!lua name=mylib\nredis.register_function('my_echo', function(keys, args) return args[1] end)";

  test('a library is loaded, listed, called and deleted', async () => {
    assert.equal(await redis.functions.load({ code, replace: true }), 'mylib');
    assert.equal(await redis.functions.call('my_echo', [], ['Hello']), 'Hello');
    const [library] = await redis.functions.list({ libraryName: 'mylib', withCode: true });
    assert.deepEqual([library.libraryName, library.engine, library.libraryCode], ['mylib', 'LUA', code]);
    assert.deepEqual(library.functions.map(({ name }) => name), ['my_echo']);
    assert.deepEqual(await redis.functions.stats(), { engines: { LUA: { librariesCount: 1, functionsCount: 1 } } });
    assert.equal(await redis.functions.delete('mylib'), 'OK');
    await assert.rejects(redis.functions.call('my_echo', [], ['Hello']), /ERR Function not found/);
    assert.equal(await redis.functions.flush(), 'OK');
  });
}
