// What docs/DIFFERENCES_FROM_UPSTASH.md says of the gateway, where a request can show it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, test } from 'node:test';
import { Redis } from '@upstash/redis';
import { keysIn, startGateways } from './support/gateways.mjs';

/** Words of that table that are not refused as they stand there. */
const IN_PART = [
  'XREAD', 'XREADGROUP', 'BLOCK', 'COPY', 'DB', 'MEMORY', 'MEMORY USAGE',
  'ACL', 'CAT', 'DRYRUN', 'GENPASS', 'HELP', 'USERS', 'WHOAMI',
];

/** Of some, what one would really ask for. */
const WITH_ARGUMENTS = [
  ['BLPOP', 'list', 0], ['XREAD', 'BLOCK', 0, 'STREAMS', 's', '$'], ['XREADGROUP', 'GROUP', 'g', 'c', 'block', 1, 'STREAMS', 's', '>'],
  ['SUBSCRIBE', 'chat'], ['CLIENT', 'KILL', 'ID', 1], ['CLIENT', 'REPLY', 'OFF'], ['CONFIG', 'SET', 'maxmemory', '1'],
  ['DEBUG', 'SLEEP', 0], ['MOVE', 'a', 1], ['COPY', 'a', 'b', 'DB', 1], ['REPLICAOF', '127.0.0.1', 1], ['SHUTDOWN', 'NOSAVE'], ['SELECT', 1], ['MEMORY', 'PURGE'],
  ['ACL', 'SETUSER', 'x'], ['ACL', 'RESTTOKEN', 'default', 'x'],
];

for (const gateway of await startGateways()) {
  describe(`over ${gateway.name}`, () => {
    beforeEach(() => gateway.redis.run('FLUSHALL'));

    describe('refused commands', () => refusals(gateway));
    describe('commands of other servers', () => unknown(gateway));
    describe('paths', () => paths(gateway));
    describe('bad requests', () => bad(gateway));
    describe('scripts', () => scripts(gateway));
  });
}

/** The first column of the table of docs/DIFFERENCES_FROM_UPSTASH.md. */
function refusedByThePage() {
  const page = readFileSync(new URL('../../docs/DIFFERENCES_FROM_UPSTASH.md', import.meta.url), 'utf8');
  const rows = page.split('Refused, whoever asks:')[1].split('\n## ')[0].match(/^\| `[^|]*/gm);
  return rows.flatMap((row) => row.match(/`[^`]+`/g)).map((word) => word.slice(1, -1)).filter((word) => !IN_PART.includes(word));
}

function refusals({ url, token, redis: behind }) {
  test('are those of the page, with whatever arguments, whoever asks', async () => {
    const redis = new Redis({ url, token });
    const named = refusedByThePage();
    assert.ok(named.length > 40);
    for (const command of [...named.map((name) => name.split(' ')), ...WITH_ARGUMENTS]) {
      await assert.rejects(redis.exec(command), /^UpstashError: ERR Command /, command.join(' '));
      const response = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: JSON.stringify(command) });
      assert.deepEqual([response.status, Object.keys(await response.json())], [400, ['error']], command.join(' '));
    }
    assert.equal(await redis.ping(), 'PONG');
    assert.equal(await behind.run('PING'), 'PONG');
  });

  test('and no others of their families', async () => {
    const redis = new Redis({ url, token });
    await redis.set('key', 'value');
    assert.equal(await redis.exec(['ACL', 'WHOAMI']), 'default');
    assert.equal(await redis.exec(['CLIENT', 'SETINFO', 'LIB-NAME', 'x']), 'OK');
    assert.ok(await redis.exec(['MEMORY', 'USAGE', 'key']) > 0);
    assert.equal(await redis.xread('stream', '0'), null);
    assert.match(await redis.exec(['INFO', 'server']), /redis_version/);
  });
}

function unknown({ url, token }) {
  test('what the Redis behind does not know, it says itself', async () => {
    const redis = new Redis({ url, token });
    await assert.rejects(redis.exec(['NO.SUCH', 'x']), /ERR unknown command/);
    await assert.rejects(redis.exec(['ACL', 'NOSUCH']), /ERR /);
    await assert.rejects(redis.scan(0, { withType: true }), /ERR syntax error/);
  });
}

function paths({ url, token, ridge, redis: behind }) {
  const ask = (path, options) => ridge.ask({ path: `/redis${path}`, headers: { Authorization: `Bearer ${token}` }, ...options });

  test('dots and backslashes are rewritten on the way, by fetch to begin with', async () => {
    await behind.run('SET', 'get', 'x');
    const headers = { authorization: `Bearer ${token}` };
    for (const path of ['/get/get/../../get/get', '/set/../get/get', '/set/%2e%2e/get/get', '\\get\\get', '/./get/%2E/get']) {
      assert.equal(await (await fetch(url + path, { headers })).text(), '{"result":"x"}', path);
    }
    const body = JSON.stringify(['SET', '..', '\\']);
    assert.equal(await (await fetch(url, { headers, method: 'POST', body })).text(), '{"result":"OK"}');
    assert.equal(await behind.run('GET', '..'), '\\');
  });

  test('an empty segment is an empty argument', async () => {
    assert.equal((await ask('/set/foo/')).text, '{"result":"OK"}');
    assert.equal(await behind.run('GET', 'foo'), '');
    assert.equal((await ask('/set//bar')).text, '{"result":"OK"}');
    assert.equal(await behind.run('GET', ''), 'bar');
  });

  test('what is encoded is one argument, and decoded once', async () => {
    for (const [segment, key] of [['a%2Fb', 'a/b'], ['a%252Fb', 'a%2Fb'], ['%3F%23', '?#'], ['a+b', 'a+b'], ['%E2%82%AC', '€'], ['a;b', 'a;b']]) {
      assert.equal((await ask(`/set/${segment}/${segment}`)).text, '{"result":"OK"}');
      assert.equal(await behind.run('GET', key), key);
    }
  });

  test('/redis/write is another route', async () => {
    assert.equal((await ask('/write', { method: 'POST', body: '["SET","a","b"]' })).status, 401);
    assert.equal((await ask('/write', { method: 'GET' })).status, 405);
  });
}

function bad({ url, token, redis: behind }) {
  test('one null makes a pipeline 400 before anything is run', async () => {
    const redis = new Redis({ url, token });
    const answers = await Promise.allSettled([redis.set('a', 1), redis.set('b', undefined)]);
    for (const { reason } of answers) assert.match(reason.message, /^ERR .*null/);
    await assert.rejects(redis.pipeline().set('a', 1).set('b', undefined).exec(), /ERR .*null/);
    assert.deepEqual(await keysIn(behind), []);
  });

  test('a body of more than 10 MiB is refused', async () => {
    const ask = (length) => {
      const body = JSON.stringify(['STRLEN', 'x'.repeat(length)]);
      return fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body }).then(({ status }) => status, () => 'cut off');
    };
    assert.equal(await ask(10 * 2 ** 20 - 100), 200);
    assert.ok([413, 'cut off'].includes(await ask(10 * 2 ** 20)));
  });
}

function scripts({ url, token, redis: behind }) {
  test("the names of scripts with Upstash's flag stand in a key of Ridge's own", async () => {
    const redis = new Redis({ url, token });
    assert.equal(await redis.eval('#!lua flags=allow-key-locking\nreturn 1', [], []), 1);
    assert.equal(await behind.run('TYPE', 'ridge:scripts'), 'hash');
    assert.deepEqual(await keysIn(behind), []);
  });
}
