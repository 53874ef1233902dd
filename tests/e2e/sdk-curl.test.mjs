// Upstash's REST API as its documentation describes it, with curl: every kind of request that the page "REST API" shows, and the
// answer that it shows for it. Host and token are ours, and where the text of an error is Redis's, it is that of a real Redis.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { curl, curlLines } from './support/curl.mjs';
import { startGateways } from './support/gateways.mjs';

for (const gateway of await startGateways()) {
  describe(`over ${gateway.name}`, () => {
    beforeEach(() => gateway.redis.run('FLUSHALL'));

    describe('commands', () => commands(gateway));
    describe('codes and answers', () => answers(gateway));
    describe('base64 and RESP2', () => encodings(gateway));
    describe('pipelines and transactions', () => batches(gateway));
    describe('events', () => events(gateway));
  });
}

const shown = ({ status, text }) => [status, text];

function commands({ url, token, redis }) {
  const auth = ['-H', `Authorization: Bearer ${token}`];

  test('the token is a header or a parameter', async () => {
    assert.deepEqual(shown(await curl(`${url}/set/foo/bar`, ...auth)), [200, '{"result":"OK"}']);
    assert.deepEqual(shown(await curl(`${url}/set/foo/bar?_token=${token}`)), [200, '{"result":"OK"}']);
    assert.deepEqual(shown(await curl('-X', 'POST', `${url}/get/foo?_token=${token}`)), [200, '{"result":"bar"}']);
    assert.deepEqual(shown(await curl(`${url}/get/foo`, '-H', `X-API-Key: ${token}`)), [200, '{"result":"bar"}']);
  });

  test('a command is a path', async () => {
    await redis.run('MSET', 'foo1', 'a', 'foo3', 'c');
    await redis.run('HSET', 'employee:23381', 'salary', '137');
    for (const [path, result] of [
      ['set/foo/bar', 'OK'],
      ['set/foo/bar/EX/100', 'OK'],
      ['get/foo', 'bar'],
      ['mget/foo1/foo2/foo3', ['a', null, 'c']],
      ['hget/employee:23381/salary', '137'],
      ['zadd/teams/100/team-x/90/team-y', 2],
      ['SET/with%20blank/%E2%82%AC', 'OK'],
      ['get/with%20blank', '€'],
      ['set/a%2Fb/c%3Fd', 'OK'],
      ['get/a%2Fb', 'c?d'],
    ]) {
      assert.deepEqual(shown(await curl(`${url}/${path}`, ...auth)), [200, JSON.stringify({ result })], path);
    }
    assert.ok(await redis.run('TTL', 'foo') > 0);
  });

  test('a value is a body, and what follows it are parameters', async () => {
    const value = '{"a": [1, 2], "b": "x=y&z"}';
    assert.deepEqual(shown(await curl('-X', 'POST', '-d', value, `${url}/set/foo`, ...auth)), [200, '{"result":"OK"}']);
    assert.equal(await redis.run('GET', 'foo'), value);
    assert.equal(await redis.run('TTL', 'foo'), -1);
    assert.deepEqual(shown(await curl('-X', 'POST', '-d', '$VALUE', `${url}/set/foo?EX=100`, ...auth)), [200, '{"result":"OK"}']);
    assert.equal(await redis.run('GET', 'foo'), '$VALUE');
    assert.ok(await redis.run('TTL', 'foo') > 0);
    assert.deepEqual(shown(await curl('-X', 'PUT', '-d', 'put', `${url}/set/foo?XX&GET`, ...auth)), [200, '{"result":"$VALUE"}']);
    assert.deepEqual(shown(await curl('-d', 'token too', `${url}/set/foo?EX=100&_token=${token}`)), [200, '{"result":"OK"}']);
    assert.equal(await redis.run('GET', 'foo'), 'token too');
  });

  test('a command is a list in the body', async () => {
    assert.deepEqual(shown(await curl('-X', 'POST', '-d', '["SET", "foo", "bar", "EX", 100]', url, ...auth)), [200, '{"result":"OK"}']);
    assert.deepEqual(shown(await curl('-X', 'PUT', '-d', '["GET", "foo"]', `${url}/`, ...auth)), [200, '{"result":"bar"}']);
    assert.ok(await redis.run('TTL', 'foo') > 0);
  });

  test('INFO tells of the server', async () => {
    const { status, text } = await curl('-X', 'POST', `${url}/info`, ...auth);
    assert.equal(status, 200);
    assert.match(JSON.parse(text).result, /^# Server\r\nredis_version:/);
  });
}

function answers({ url, token, redis }) {
  const auth = ['-H', `Authorization: Bearer ${token}`];

  test('a result is null, an integer, a string or an array', async () => {
    await redis.run('MSET', 'n', '136', 's', 'value', 'first', 'value1', 'last', 'value2');
    for (const [path, body] of [
      ['get/nothing', '{"result":null}'],
      ['incr/n', '{"result":137}'],
      ['get/s', '{"result":"value"}'],
      ['mget/first/nothing/last', '{"result":["value1",null,"value2"]}'],
    ]) {
      const answer = await curl(`${url}/${path}`, ...auth);
      assert.deepEqual(shown(answer), [200, body]);
      assert.equal(answer.headers['content-type'], 'application/json');
    }
  });

  test('400: the command is wrong, unknown, or fails', async () => {
    await redis.run('SET', 's', 'value');
    for (const [path, error] of [
      ['get', "ERR wrong number of arguments for 'get' command"],
      ['incr/s', 'ERR value is not an integer or out of range'],
      ['lpush/s/x', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
    ]) {
      assert.deepEqual(shown(await curl(`${url}/${path}`, ...auth)), [400, JSON.stringify({ error })]);
    }
    const bodies = ['no JSON', '[]', '{}', '[["SET","a","b"]]', '["GET",null]'].map((body) => ['-d', body, url]);
    for (const args of [[`${url}/nonsense/x`], [`${url}/acl/resttoken/default/x`], ...bodies]) {
      const { status, text } = await curl(...args, ...auth);
      assert.equal(status, 400, args.join(' '));
      assert.match(JSON.parse(text).error, /^ERR /);
      assert.deepEqual(Object.keys(JSON.parse(text)), ['error']);
    }
  });

  test('401: the token is missing or wrong', async () => {
    const refused = [401, '{"error":"WRONGPASS invalid or missing auth token"}'];
    for (const args of [[], ['-H', 'Authorization: Bearer wrong'], ['-H', `Authorization: Basic ${token}`], ['-H', 'X-API-Key: wrong']]) {
      assert.deepEqual(shown(await curl(`${url}/get/foo`, ...args)), refused);
      assert.deepEqual(shown(await curl('-d', '["GET","foo"]', url, ...args)), refused);
      assert.deepEqual(shown(await curl('-d', '[["GET","foo"]]', `${url}/pipeline`, ...args)), refused);
    }
    assert.deepEqual(shown(await curl(`${url}/get/foo?_token=wrong`)), refused);
  });

  test('405: another method than HEAD, GET, POST, PUT', async () => {
    for (const method of ['DELETE', 'PATCH']) {
      for (const path of ['', '/set/foo/bar', '/pipeline', '/multi-exec']) {
        assert.equal((await curl('-X', method, url + path, ...auth)).status, 405, `${method} ${path}`);
      }
    }
    assert.deepEqual(shown(await curl('-I', `${url}/set/foo/bar`, ...auth)), [200, '']);
    assert.equal(await redis.run('GET', 'foo'), 'bar');
  });
}

function encodings({ url, token, redis }) {
  const auth = ['-H', `Authorization: Bearer ${token}`];
  const base64 = ['-H', 'Upstash-Encoding: base64'];
  const resp2 = ['-H', 'Upstash-Response-Format: resp2'];

  test('in base64 is every string but OK', async () => {
    assert.deepEqual(shown(await curl(`${url}/SET/foo/bar`, ...auth, ...base64)), [200, '{"result":"OK"}']);
    assert.deepEqual(shown(await curl(`${url}/GET/foo`, ...auth, ...base64)), [200, '{"result":"YmFy"}']);
    assert.deepEqual(shown(await curl(`${url}/mget/foo/nothing`, ...auth, ...base64)), [200, '{"result":["YmFy",null]}']);
    assert.deepEqual(shown(await curl(`${url}/strlen/foo`, ...auth, ...base64)), [200, '{"result":3}']);
    assert.deepEqual(shown(await curl(`${url}/incr/foo`, ...auth, ...base64)), [400, '{"error":"ERR value is not an integer or out of range"}']);
    const body = '[["GET","foo"],["SET","foo","x"],["INCR","foo"],["PING"]]';
    const results = '[{"result":"YmFy"},{"result":"OK"},{"error":"ERR value is not an integer or out of range"},{"result":"UE9ORw=="}]';
    assert.deepEqual(shown(await curl('-d', body, `${url}/pipeline`, ...auth, ...base64)), [200, results]);
    await redis.run('SET', 'foo', 'bar');
    assert.deepEqual(shown(await curl('-d', body, `${url}/multi-exec`, ...auth, ...base64)), [200, results]);
  });

  test('bytes that are no text are shown as U+FFFD without it', async () => {
    await redis.run('SETBIT', 'bytes', '0', '1');
    assert.deepEqual(shown(await curl(`${url}/get/bytes`, ...auth)), [200, '{"result":"\u{fffd}"}']);
    assert.deepEqual(shown(await curl(`${url}/bitop/not/other/bytes`, ...auth)), [200, '{"result":1}']);
    assert.deepEqual(shown(await curl(`${url}/get/bytes`, ...auth, ...base64)), [200, '{"result":"gA=="}']);
  });

  test('RESP2 is what Redis itself would say', async () => {
    for (const [path, raw] of [
      ['SET/foo/bar', '+OK\r\n'],
      ['GET/foo', '$3\r\nbar\r\n'],
      ['GET/nothing', '$-1\r\n'],
      ['STRLEN/foo', ':3\r\n'],
      ['MGET/foo/nothing', '*2\r\n$3\r\nbar\r\n$-1\r\n'],
    ]) {
      const answer = await curl(`${url}/${path}`, ...auth, ...resp2);
      assert.deepEqual([...shown(answer), answer.headers['content-type']], [200, raw, 'application/octet-stream'], path);
    }
    const body = '[["GET","foo"],["INCR","foo"]]';
    const answer = await curl('-d', body, `${url}/pipeline`, ...auth, ...resp2);
    assert.deepEqual(shown(answer), [200, '$3\r\nbar\r\n-ERR value is not an integer or out of range\r\n']);
  });

  test('a format that there is not is 400, as is one that does not go with the rest', async () => {
    for (const args of [
      [`${url}/get/foo`, '-H', 'Upstash-Response-Format: resp3'],
      [`${url}/get/foo`, ...resp2, ...base64],
      ['-d', '[["GET","foo"]]', `${url}/multi-exec`, ...resp2],
    ]) {
      const { status, text } = await curl(...args, ...auth);
      assert.equal(status, 400);
      assert.deepEqual(Object.keys(JSON.parse(text)), ['error']);
    }
    assert.equal((await curl(`${url}/set/foo/bar`, ...auth, '-H', 'Upstash-Response-Format: json')).text, '{"result":"OK"}');
    // The page misspells the header's name in its example: that is no header, and the answer is JSON.
    assert.equal((await curl(`${url}/get/foo`, ...auth, '-H', 'Upstash-Reponse-Format: resp2')).text, '{"result":"bar"}');
  });
}

function batches({ url, token, redis }) {
  const auth = ['-H', `Authorization: Bearer ${token}`];
  const body = `
    [
      ["SET", "key1", "valuex"],
      ["SETEX", "key2", 13, "valuez"],
      ["INCR", "key1"],
      ["ZADD", "myset", 11, "item1", 22, "item2"]
    ]
  `;
  const results = '[{"result":"OK"},{"result":"OK"},{"error":"ERR value is not an integer or out of range"},{"result":2}]';

  for (const path of ['pipeline', 'multi-exec']) {
    test(`/${path}`, async () => {
      assert.deepEqual(shown(await curl('-X', 'POST', `${url}/${path}`, ...auth, '-d', body)), [200, results]);
      assert.equal(await redis.run('GET', 'key1'), 'valuex');
    });

    test(`/${path}: what is no list of commands is 400, and nothing is done`, async () => {
      for (const wrong of ['', '{}', '[["SET","a","b"],"GET"]', '[["SET","a","b"],[]]', '[["SET","a","b"],["GET",{}]]', '[["SET","a","b"]']) {
        const { status, text } = await curl('-X', 'POST', `${url}/${path}`, ...auth, '-d', wrong);
        assert.equal(status, 400, wrong);
        assert.match(JSON.parse(text).error, /^ERR /);
      }
      assert.equal(await redis.run('EXISTS', 'a'), 0);
    });
  }

  test('a transaction is discarded as a whole with one error', async () => {
    for (const [wrong, error] of [
      ['["GET"]', /^ERR wrong number of arguments for 'get' command$/],
      ['["NONSENSE"]', /^ERR unknown command/],
      ['["BLPOP","list",0]', /^ERR /],
      ['["MULTI"]', /^ERR /],
    ]) {
      const { status, text } = await curl('-d', `[["SET","a","b"],${wrong},["SET","c","d"]]`, `${url}/multi-exec`, ...auth);
      assert.equal(status, 400, wrong);
      assert.match(JSON.parse(text).error, error);
      assert.equal(await redis.run('EXISTS', 'a', 'c'), 0, wrong);
    }
  });
}

function events({ url, token }) {
  const auth = ['-H', `Authorization: Bearer ${token}`];
  const listen = (path, ...args) => curlLines(...args, `${url}/${path}`, ...auth, '-H', 'Accept:text/event-stream');
  const publish = async (channel, message) => (await curl('-X', 'POST', `${url}/publish/${channel}/${message}`, ...auth)).text;

  /** The first line of the body. */
  async function first({ line }) {
    const head = [];
    for (let next = await line(); ; next = await line()) {
      if (next.startsWith('data:')) return { head: head.join('\n').toLowerCase(), data: next };
      head.push(next);
    }
  }

  for (const args of [['-X', 'POST'], []]) {
    const channel = args[1] === 'POST' ? 'chat' : 'chat:2';
    test(`SUBSCRIBE hears what is published, by ${args[1] ?? 'GET'}`, async () => {
      const chat = await listen(`subscribe/${channel}`, ...args);
      const { head, data } = await first(chat);
      assert.match(head, /^http\/1.1 200/);
      assert.match(head, /^content-type: text\/event-stream/m);
      assert.equal(data, `data: subscribe,${channel},1`);
      assert.equal(await publish(channel, 'hello'), '{"result":1}');
      assert.equal(await publish(channel, 'how%20are%20you%20today%3F'), '{"result":1}');
      assert.deepEqual([await chat.line(), await chat.line()], [`data: message,${channel},hello`, `data: message,${channel},how are you today?`]);
      await chat.close();
    });
  }

  test('PSUBSCRIBE hears a pattern', async () => {
    const rooms = await listen('psubscribe/room:*');
    assert.equal((await first(rooms)).data, 'data: psubscribe,room:*,1');
    assert.equal(await publish('room:1', 'hello'), '{"result":1}');
    assert.equal(await rooms.line(), 'data: pmessage,room:*,room:1,hello');
    await rooms.close();
  });

  test('MONITOR sees every command, and not from where', async () => {
    const monitor = await listen('monitor', '-X', 'POST');
    assert.equal((await first(monitor)).data, 'data: "OK"');
    await curl(`${url}/set/k/v`, ...auth);
    let line;
    do line = await monitor.line(); while (!line.toLowerCase().includes('"k"'));
    assert.match(line, /^data: \d+\.\d{6} \[0 0\.0\.0\.0:0\] "(SET|set)" "k" "v"$/);
    await monitor.close();
  });

  test('who has no right token hears nothing', async () => {
    for (const path of ['subscribe/chat', 'psubscribe/*', 'monitor']) {
      assert.deepEqual(shown(await curl('-X', 'POST', `${url}/${path}`)), [401, '{"error":"WRONGPASS invalid or missing auth token"}']);
    }
  });
}
