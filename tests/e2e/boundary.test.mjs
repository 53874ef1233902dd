// The boundary between HTTP, workerd and wasm: what only the built Worker can show. Bodies come in pieces, without end or not
// at all, paths and headers as badly as they can, and all at the same time.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { overOwnRest, overTcp } from './support/backends.mjs';
import { dial } from './support/http.mjs';
import { redisClient } from './support/redis.mjs';
import { API_KEY, JWT_SECRET, asBackend, asUser, startRidge } from './support/ridge.mjs';

const MIB = 1024 * 1024;
const MANY = 500;

/** How much of a body without end may be sent, in pieces, before it is refused. */
const SOON = 1.5 * MIB;
const PIECE = 64 * 1024;

const tcp = await overTcp();
const rest = await overOwnRest();
const redis = await redisClient(tcp.redisUrl);
const ridge = await startRidge({ ...tcp.vars, CORS_ORIGINS: '*' });
const overRest = await startRidge({ ...rest.vars, CORS_ORIGINS: 'https://app.example.com' });

/** The head of a `POST /` as the backend, but for how its body comes. */
const postHead = (...lines) => ['POST / HTTP/1.1', 'Host: ridge', `X-API-Key: ${API_KEY}`, ...lines, '', ''].join('\r\n');
const chunk = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const post = (body, headers = {}) => ridge.ask({ method: 'POST', path: '/', headers: { ...asBackend, ...headers }, body });

/** The Worker still answers, and right. */
async function isWell(worker = ridge) {
  const answer = await worker.read([['EXISTS', 'user:nobody']]);
  assert.deepEqual([answer.status, answer.body], [200, [0]]);
}

function isError(answer, status, code) {
  assert.deepEqual([answer.status, answer.body?.code], [status, code], answer.text);
  assert.deepEqual(answer.body.requestId, answer.headers['x-request-id']);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.headers['cache-control'], 'no-store');
}

describe('bodies', () => {
  test('a body without Content-Length is read', async () => {
    const connection = await dial(ridge.port);
    await connection.say(postHead('Transfer-Encoding: chunked'));
    for (const piece of ['[["GE', 'T","user:', 'no', 'body"]', ']']) await connection.say(chunk(piece));
    await connection.say('0\r\n\r\n');
    const { status, body } = await connection.answer();
    assert.deepEqual([status, body], [200, '[null]']);
    connection.hangUp();
  });

  test('a character may be cut in two by the pieces', async () => {
    const connection = await dial(ridge.port);
    const bytes = Buffer.from('[["HGET","user:nobody","😀"]]');
    const middle = bytes.indexOf(0xf0) + 2;
    await connection.say(postHead('Transfer-Encoding: chunked'));
    for (const piece of [bytes.subarray(0, middle), bytes.subarray(middle)]) {
      await connection.say(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]));
    }
    await connection.say('0\r\n\r\n');
    assert.equal((await connection.answer()).body, '[null]');
    connection.hangUp();
  });

  test('a body without end is 413 soon after 1 MiB', async () => {
    const connection = await dial(ridge.port);
    await connection.say(postHead('Transfer-Encoding: chunked'));
    let answer;
    const answered = connection.answer().then((first) => { answer = first; });
    let sent = 0;
    for (const piece = chunk('x'.repeat(PIECE)); !answer && sent < SOON; sent += PIECE) {
      await connection.say(piece);
      // Workerd hears a refused sender out for 64 KiB only, then resets the connection and takes the answer with it.
      if (sent >= MIB) await Promise.race([answered, sleep(1_000)]);
    }
    assert.ok(answer, `not refused after ${sent} bytes`);
    assert.deepEqual([answer.status, JSON.parse(answer.body).code], [413, 'body_too_large']);
    assert.ok(sent >= MIB, `refused after ${sent} bytes already`);
    connection.hangUp();
    await isWell();
  });

  test('a Content-Length over the limit is 413 before anything of the body has come', async () => {
    const connection = await dial(ridge.port);
    await connection.say(postHead(`Content-Length: ${MIB + 1}`));
    const { status, body } = await connection.answer();
    assert.deepEqual([status, JSON.parse(body).code], [413, 'body_too_large']);
    connection.hangUp();
  });

  test('exactly 1 MiB is taken, one byte more is not', async () => {
    const start = '["HGET","user:nobody","';
    const exact = `${start}${'x'.repeat(MIB - start.length - 2)}"]`;
    assert.equal(Buffer.byteLength(exact), MIB);
    assert.deepEqual((await post(exact)).body, [null]);
    const chunked = await post(`${exact} `, { 'Transfer-Encoding': 'chunked' });
    isError(chunked, 413, 'body_too_large');
  });

  test('a body that its sender cuts off is 400 in the log, and runs nothing', async () => {
    for (const [id, framing, body] of [
      ['cut-off-whole', 'Content-Length: 1000', '["HGET","user:nobody","x"]'],
      ['cut-off-chunked', 'Transfer-Encoding: chunked', chunk('["HGET","user:nobody","x"]')],
    ]) {
      const connection = await dial(ridge.port);
      await connection.say(postHead(framing, `X-Request-Id: ${id}`) + body);
      connection.socket.end();
      const line = JSON.parse(await ridge.lineOf(id));
      assert.deepEqual([line.status, line.redis_round_trips], [400, 0]);
      connection.hangUp();
    }
    await isWell();
  });

  test('what is no JSON text is 400, and says what is wrong', async () => {
    for (const body of [
      undefined,
      '',
      ' ',
      'null',
      '"GET"',
      '{}',
      '[',
      '[]',
      '[[]]',
      '[["GET","a"]',
      '[["GET","a"]]]',
      '[["GET",null]]',
      '[["GET","\\ud800"]]',
      '\u{feff}[["GET","a"]]',
      Buffer.from([0, 1, 2, 3]),
      Buffer.from([...Buffer.from('[["GET","'), 0xff, 0xfe, ...Buffer.from('"]]')]),
      Buffer.from([...Buffer.from('[["GET","'), 0xed, 0xa0, 0x80, ...Buffer.from('"]]')]),
      Buffer.from('[["GET","a"]]', 'utf16le'),
    ]) {
      const answer = await post(body);
      isError(answer, 400, 'bad_request');
      assert.ok(answer.body.error.length > 10, answer.text);
    }
    await isWell();
  });

  test('the Content-Type is not looked at', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense']) {
      assert.equal((await post('["GET","user:nobody"]', { 'Content-Type': type })).status, 200);
    }
  });
});

describe('values', () => {
  for (const [name, worker] of [['TCP', ridge], ['REST', overRest]]) {
    test(`a value of nearly 1 MiB comes back as it went, over ${name}`, async () => {
      const value = '0123456789abcdef'.repeat(65_000) + 'é😀';
      assert.deepEqual((await worker.write([['HSET', 'user:big', 'bio', value]])).body.results, [1]);
      const { body } = await worker.read([['HGET', 'user:big', 'bio'], ['HGETALL', 'user:big']]);
      assert.ok(body[0] === value && body[1].bio === value);
    });

    test(`every character comes back as it went, over ${name}`, async () => {
      const values = ['😀👩‍👩‍👧', '\u{fffd}', '\u{0}\u{1}\u{7f}', '\r\n', '"\\/', 'a\u{2028}b', '\u{feff}x', '\u{10ffff}', '$5\r\nhello\r\n', ''];
      const fields = values.flatMap((value, n) => [`f${n}`, value]);
      assert.deepEqual((await worker.write([['HSET', 'user:text', ...fields]])).body.results, [values.length]);
      const { body } = await worker.read([['HMGET', 'user:text', ...values.map((_, n) => `f${n}`)]]);
      assert.deepEqual(body, [values]);
    });
  }

  test('bytes that are not UTF-8 are shown as U+FFFD', async () => {
    await redis.run('EVAL', String.raw`return redis.call('HSET', KEYS[1], 'bio', 'a\255b')`, '1', 'user:bytes');
    assert.deepEqual((await ridge.read([['HGET', 'user:bytes', 'bio']])).body, ['a\u{fffd}b']);
  });

  test('numbers keep every digit', async () => {
    const body = '["HSET","user:digits","a",12345678901234567890123,"b",1.10,"c",-0,"d",true]';
    assert.equal((await ridge.ask({ method: 'POST', path: '/redis/write', headers: asBackend, body })).status, 200);
    const read = await ridge.read([['HMGET', 'user:digits', 'a', 'b', 'c', 'd']]);
    assert.deepEqual(read.body, [['12345678901234567890123', '1.10', '-0', 'true']]);
  });
});

describe('methods', () => {
  test('HEAD is GET without a body', async () => {
    for (const path of ['/', '/healthz', '/whoami']) {
      const [get, head] = [await ridge.get(path, asUser('alice')), await ridge.ask({ method: 'HEAD', path, headers: asUser('alice') })];
      assert.deepEqual([head.status, head.text], [200, '']);
      assert.equal(head.headers['content-type'], get.headers['content-type']);
    }
    assert.equal((await ridge.ask({ method: 'HEAD', path: '/nope' })).status, 404);
    assert.equal((await ridge.ask({ method: 'HEAD', path: '/whoami' })).status, 401);
  });

  test('no route is 404, a route with another method 405 with Allow', async () => {
    isError(await ridge.get('/nope'), 404, 'not_found');
    for (const [method, path, allowed] of [
      ['PUT', '/', ['GET', 'HEAD', 'POST']],
      ['GET', '/redis/write', ['POST']],
      ['DELETE', '/healthz', ['GET', 'HEAD']],
      ['PURGE', '/ping', ['GET', 'HEAD', 'POST']],
    ]) {
      const answer = await ridge.ask({ method, path, headers: asBackend });
      isError(answer, 405, 'method_not_allowed');
      assert.deepEqual(answer.headers.allow.split(/,\s*/).sort(), allowed, `${method} ${path}`);
    }
  });

  test('a preflight is answered on any path, without credentials and without asking Redis', async () => {
    const asked = { Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': 'x-api-key,x-new' };
    for (const path of ['/', '/redis/write', '/users/alice', '/nope', '/users/%ff', '//']) {
      const { status, headers } = await ridge.ask({ method: 'OPTIONS', path, headers: asked });
      assert.deepEqual([status, headers['access-control-allow-origin']], [204, '*'], path);
      assert.match(headers['access-control-allow-methods'], /\bPATCH\b/);
      assert.match(headers['access-control-allow-headers'].toLowerCase(), /x-api-key/);
      assert.equal(headers['access-control-allow-credentials'], undefined);
      assert.ok(headers['x-request-id']);
    }
  });

  test('of configured origins each is told its own name, others nothing', async () => {
    const from = (Origin, method = 'GET') => overRest.ask({ method, path: '/healthz', headers: { Origin } });
    for (const method of ['GET', 'OPTIONS']) {
      const ours = (await from('https://app.example.com', method)).headers;
      assert.equal(ours['access-control-allow-origin'], 'https://app.example.com');
      assert.match(ours.vary, /Origin/);
      assert.equal((await from('https://evil.example', method)).headers['access-control-allow-origin'], undefined);
    }
  });
});

describe('paths', () => {
  const statusOf = async (path) => (await ridge.get(path, asUser('alice'))).status;

  test('percent-encoding is undone once, and what it hides is no way around', async () => {
    await ridge.write([['HSET', 'user:alice', 'username', 'alice']]);
    for (const path of ['/users/alice', '/users/%61lice', '/users/%61%6c%69%63%65', '/users/alice?x=%00&y', '/users/alice?']) {
      assert.equal(await statusOf(path), 200, path);
    }
    for (const path of ['a%2Fb', '%2561lice', '%00', '%zz', '%', '%ff', 'al%C3%AFce', '..%2falice', 'a%3Ab', 'a*', '%20alice', 'AUTH']) {
      isError(await ridge.get(`/users/${path}`, asUser('alice')), 400, 'bad_request');
    }
  });

  test('a path with a slash too many is another path', async () => {
    for (const path of ['//', '//users/alice', '/users//alice', '/users/alice/', '/users/alice/x', '/users', '/users/']) {
      isError(await ridge.get(path, asUser('alice')), 404, 'not_found');
    }
  });

  test('a very long URL is refused or read, and nothing breaks', async () => {
    isError(await ridge.get(`/users/${'a'.repeat(16_000)}`, asUser('alice')), 400, 'bad_request');
    isError(await ridge.get(`/${'a/'.repeat(8_000)}`, asUser('alice')), 404, 'not_found');
    assert.equal(await statusOf(`/users/alice?${'x'.repeat(16_000)}`), 200);
    await isWell();
  });
});

describe('headers', () => {
  const utf8 = (text) => Buffer.from(text).toString('latin1');

  test('credentials in Latin-1 or UTF-8 are wrong, not an accident', async () => {
    for (const value of ['schl\u{fc}ssel', utf8('schlüssel😀'), '\u{ff}', `${API_KEY}\u{a0}`]) {
      isError(await ridge.get('/whoami', { 'X-API-Key': value }), 401, 'invalid_api_key');
      isError(await ridge.get('/whoami', { Authorization: `Bearer ${value}` }), 401, 'invalid_token');
      isError(await ridge.get('/whoami', { ...asBackend, 'X-Act-As': value }), 400, 'bad_request');
    }
    await isWell();
  });

  test('two keys are none, even if both are right; so are two tokens', async () => {
    const twice = (name, value, other = value) => ['Host', 'ridge', name, value, name, other];
    for (const headers of [twice('X-API-Key', API_KEY), twice('X-API-Key', API_KEY, 'wrong'), twice('x-api-key', 'wrong', API_KEY)]) {
      isError(await ridge.ask({ path: '/whoami', headers }), 401, 'invalid_api_key');
    }
    const headers = twice('Authorization', asUser('alice').Authorization, asUser('bob').Authorization);
    isError(await ridge.ask({ path: '/whoami', headers }), 401, 'invalid_token');
  });

  test('names of headers come in any letter case', async () => {
    assert.equal((await ridge.get('/whoami', { 'x-aPI-kEY': API_KEY })).body.caller.kind, 'api_key');
  });

  test('a proper request id is taken over, another one replaced', async () => {
    for (const id of ['a', 'abc.DEF_1-2', 'x'.repeat(64)]) {
      assert.equal((await ridge.get('/ping', { 'X-Request-Id': id })).headers['x-request-id'], id);
      const failed = await ridge.get('/nope', { 'X-Request-Id': id });
      assert.deepEqual([failed.headers['x-request-id'], failed.body.requestId], [id, id]);
    }
    const fresh = new Set();
    for (const id of ['x'.repeat(65), 'a b', 'a/b', 'sch\u{fc}ssel', utf8('😀'), '<script>', '"', '', undefined, 'a,b']) {
      const answer = await ridge.get('/nope', id === undefined ? {} : { 'X-Request-Id': id });
      assert.match(answer.headers['x-request-id'], /^[A-Za-z0-9._-]{1,64}$/);
      assert.notEqual(answer.headers['x-request-id'], id);
      fresh.add(answer.headers['x-request-id']);
    }
    assert.equal(fresh.size, 10);
  });
});

for (const [name, worker] of [['TCP', ridge], ['REST', overRest]]) {
  test(`${MANY} requests at a time never mix answers, callers or request ids, over ${name}`, async () => {
    const users = Array.from({ length: MANY }, (_, n) => `crowd${n}`);
    await worker.write(users.map((user) => ['HSET', `user:${user}`, 'username', user, 'bio', `I am ${user}`, 'email', `${user}@example.com`]));
    await Promise.all(users.map(async (user, n) => {
      const id = { 'X-Request-Id': `id-of-${user}` };
      const answer = n % 3 === 0
        ? await worker.read([['HMGET', `user:${user}`, 'username', 'bio', 'email']], { ...asBackend, ...id })
        : await worker.get(n % 3 === 1 ? '/users/me' : `/users/${user}`, { ...asUser(user), ...id });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.headers['x-request-id'], `id-of-${user}`);
      const { username, bio, email } = n % 3 === 0 ? fieldsOf(answer.body[0]) : answer.body.user;
      assert.deepEqual([username, bio, email], [user, `I am ${user}`, `${user}@example.com`]);
    }));
  });
}

function fieldsOf([username, bio, email]) {
  return { username, bio, email };
}

test('the log is one line of JSON a request, and tells no secret', async () => {
  const token = asUser('lena').Authorization;
  const secrets = [API_KEY, JWT_SECRET, token.slice(7), new URL(tcp.redisUrl).host, 's3cret-value', 's3cret-query', 'lena'];
  const first = ridge.log.length;
  const requests = [
    ['log-1', { path: '/users/lena?s3cret-query=1', headers: { Authorization: token } }],
    ['log-2', { path: '/whoami?_token=s3cret-query', headers: { 'X-API-Key': `${API_KEY}x` } }],
    ['log-3', { path: '/', method: 'POST', headers: asBackend, body: '[["GET","s3cret-value"]]' }],
    ['log-4', { path: '/redis/write', method: 'POST', headers: asBackend, body: '["HSET","user:lena","bio","s3cret-value"]' }],
    ['log-5', { path: '/s3cret-value', headers: { Authorization: `${token}x` } }],
    ['log-6', { path: '/', method: 'POST', headers: asBackend, body: 's3cret-value' }],
  ];
  for (const [id, request] of requests) await ridge.ask({ ...request, headers: { ...request.headers, 'X-Request-Id': id } });
  for (const [id] of requests) await ridge.lineOf(id);

  const lines = ridge.log.slice(first);
  assert.equal(lines.length, requests.length);
  const told = lines.map((line) => JSON.parse(line)).map(({ id, method, route, status, redis_round_trips, caller }) =>
    [id, method, route, status, redis_round_trips, caller].join(' '));
  assert.deepEqual(told, [
    'log-1 GET /users/{id} 404 1 user',
    'log-2 GET /whoami 401 0 anonymous',
    'log-3 POST / 200 1 api_key',
    'log-4 POST /redis/write 200 1 api_key',
    'log-5 GET  404 0 anonymous',
    'log-6 POST / 400 0 api_key',
  ]);
  for (const line of lines) {
    assert.equal(typeof JSON.parse(line).duration_ms, 'number');
    for (const secret of secrets) assert.ok(!line.includes(secret), line);
  }
});

test('nothing that these tests did made the Worker complain', () => {
  for (const line of [...ridge.log, ...overRest.log]) {
    const { level, id, status } = JSON.parse(line); // a stack trace, or a word of the runtime's own, is no JSON
    assert.ok(level === 'info' && id && status < 500, line);
  }
});
