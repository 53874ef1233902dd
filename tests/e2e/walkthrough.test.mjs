// The walk-throughs of both Xano guides, as the guides print them, against the built Worker over every backend.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { overIndependentRest, overOwnRest, overTcp } from './support/backends.mjs';
import { redisClient } from './support/redis.mjs';
import { asBackend, asUser, startRidge } from './support/ridge.mjs';

const JSON_BODY = { 'Content-Type': 'application/json' };

const stages = [];
for (const backend of [await overTcp(), await overIndependentRest(), await overOwnRest()]) {
  const ridge = await startRidge({ ...backend.vars, ENVIRONMENT: 'development' });
  const deployed = await startRidge(backend.vars);
  stages.push({ name: backend.name, ridge, deployed, redis: await redisClient(backend.redisUrl) });
}

for (const { name, ridge, deployed, redis } of stages) {
  describe(`over ${name}`, () => {
    newerGuide(ridge, redis);
    olderGuide(ridge, redis);
    test('what shows round trips in development does not when deployed', async () => {
      const answer = await deployed.read([['HGETALL', 'user:testuser']]);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['x-redis-round-trips'], undefined);
    });
  });
}

/** `000…`: "Testing Your Sync", "Batch Sync Multiple Users" and "Common Errors". */
function newerGuide(ridge, redis) {
  test('step 1: the API key may read, and what is not there is an empty object', async () => {
    const answer = await ridge.read([['HGETALL', 'user:alice']], { ...asBackend, ...JSON_BODY });
    assert.deepEqual(answered(answer), [{}]);
  });

  test('step 1: a JWT on the proxy is 403 and told where to go instead', async () => {
    const commands = [['HGETALL', 'user:alice']];
    for (const refused of [await ridge.read(commands, asUser('alice')), await ridge.write(commands, asUser('alice', 'admin'))]) {
      assert.equal(refused.status, 403);
      const { availableEndpoints, requestId, ...rest } = refused.body;
      assert.deepEqual(rest, {
        error: 'Redis proxy access requires API key authentication',
        message: 'Frontend clients should use REST endpoints instead',
        documentation: 'See docs/FRONTEND_GUIDE.md for frontend integration',
        code: 'api_key_required',
      });
      assert.ok(availableEndpoints.includes('GET /users/:id - Get user profile'));
      for (const endpoint of availableEndpoints) assert.match(endpoint, /^(GET|POST|PUT|PATCH|DELETE) \/\S* - \S/);
      assert.equal(requestId, refused.headers['x-request-id']);
      hasCommonHeaders(refused, 0);
    }
  });

  test('step 2: the test user is synced by one HSET', async () => {
    const fields = { username: 'testuser', display_name: 'Test User', bio: 'Test bio from sync', role: 'user' };
    const answer = await ridge.write([hset('testuser', fields)], { ...asBackend, ...JSON_BODY });
    assert.deepEqual(answered(answer), { results: [4], username: 'xano_sync' });
    const again = await ridge.write([hset('testuser', fields)]);
    assert.deepEqual(answered(again), { results: [0], username: 'xano_sync' });
    const { created_at, ...stored } = answered(await ridge.read([['HGETALL', 'user:testuser']]))[0];
    assert.deepEqual(stored, fields);
    assert.equal(await redis.run('ZSCORE', 'users:regular', 'testuser'), created_at);
  });

  test('step 3: a JWT reads the test user through REST', async () => {
    const answer = await ridge.get('/users/testuser', asUser('alice'));
    const { created_at, ...user } = answered(answer).user;
    assert.deepEqual(user, {
      username: 'testuser',
      display_name: 'Test User',
      bio: 'Test bio from sync',
      role: 'user',
      postCount: 0,
      followerCount: 0,
      followingCount: 0,
      isFollowing: false,
    });
    assert.equal(typeof created_at, 'number');
    const nobody = await ridge.get('/users/nobody', asUser('alice'));
    assert.deepEqual([nobody.status, nobody.body.error], [404, 'User not found']);
  });

  test('a batch of users is one round trip, and may be sent again', async () => {
    const batch = Array.from({ length: 100 }, (_, n) => hset(`batch${n}`, profile(n)));
    assert.deepEqual(answered(await ridge.write(batch)).results, Array(100).fill(12));
    assert.deepEqual(answered(await ridge.write(batch)).results, Array(100).fill(0));
    const names = await redis.run('ZRANGE', 'users:models', '0', '-1');
    assert.equal(names.filter((name) => name.startsWith('batch')).length, 50);
    const { user } = answered(await ridge.get('/users/batch7', asUser('batch7')));
    assert.deepEqual([user.role, user.followerCount, user.created_at, user.email], ['model', 7, 1_700_000_000_007, 'u7@example.com']);
    const seenByOthers = answered(await ridge.get('/users/batch7', asUser('alice'))).user;
    assert.equal('email' in seenByOthers, false);
  });

  test('a wrong key is 401', async () => {
    for (const path of ['/', '/redis/write']) {
      const headers = { 'X-API-Key': 'wrong', ...asUser('alice') };
      const answer = await ridge.ask({ method: 'POST', path, headers, body: '[["HGETALL","user:alice"]]' });
      assert.equal(answer.status, 401);
      assert.equal(answer.body.error, 'Missing token');
      assert.equal(answer.body.code, 'invalid_api_key');
      assert.match(answer.body.message, /matches none/);
      assert.ok(answer.headers['www-authenticate']);
      hasCommonHeaders(answer, 0);
    }
    const none = await ridge.read([['HGETALL', 'user:alice']], {});
    assert.deepEqual([none.status, none.body.error, none.body.code], [401, 'Missing token', 'missing_token']);
  });

  test('a protected field of a user who exists is refused in its place, the rest of the batch done', async () => {
    const before = await redis.run('HGETALL', 'user:batch1');
    const answer = await ridge.write([
      ['HSET', 'user:batch1', 'username', 'eve'],
      ['HSET', 'user:batch1', 'bio', 'Sneaked in', 'avatar', 'x', 'display_name', 'Eve'],
      ['HDEL', 'user:batch1', 'role'],
      ['HSET', 'user:batch1', 'city', 'Bern'],
      ['HINCRBY', 'user:batch1', 'followerCount', '2'],
      ['DEL', 'user:batch1'],
    ]);
    assert.deepEqual(answered(answer), {
      results: [
        "ERR field 'username' cannot be modified directly, use PATCH /users/:id",
        "ERR fields 'avatar', 'display_name' cannot be modified directly, use PATCH /users/:id",
        "ERR field 'role' cannot be modified directly, use PATCH /users/:id",
        1,
        3,
        'ERR command not allowed in write mode',
      ],
      username: 'xano_sync',
    });
    const after = pairs(await redis.run('HGETALL', 'user:batch1'));
    assert.deepEqual(after, { ...pairs(before), city: 'Bern', followerCount: '3' });
  });

  test('the proxies say in place what they do not allow', async () => {
    const answer = await ridge.read([
      ['SET', 'user:alice', 'x'],
      ['KEYS', '*'],
      ['GET', 'session:1'],
      ['SMEMBERS', 'user:testuser'],
      ['HGET', 'user:testuser', 'bio'],
    ]);
    const [write, keys, session, wrongType, bio] = answered(answer);
    assert.equal(write, 'ERR read-only mode');
    assert.equal(keys, 'ERR command not allowed in read mode');
    assert.equal(session, 'ERR forbidden: private key');
    assert.match(wrongType, /^ERR WRONGTYPE /);
    assert.equal(bio, 'Test bio from sync');
  });
}

/** `001…`: its template sends one HSET a field, then "Testing Your Sync" steps 2 to 5. */
function olderGuide(ridge, redis) {
  const sync = (bio) => Object.entries({
    username: 'olduser',
    display_name: 'Test User',
    bio,
    avatar: '',
    email: 'test@example.com',
    created_at: '1234567890123',
    role: 'user',
  }).map(([field, value]) => ['HSET', 'user:olduser', field, value]);

  test('seven HSETs make one user', async () => {
    assert.deepEqual(answered(await ridge.write(sync('Testing Xano sync'))).results, [1, 1, 1, 1, 1, 1, 1]);
    const [stored] = answered(await ridge.read([['HGETALL', 'user:olduser']]));
    assert.deepEqual(Object.entries(stored).map(([field, value]) => ['HSET', 'user:olduser', field, value]).sort(), sync('Testing Xano sync').sort());
    assert.equal(await redis.run('ZSCORE', 'users:regular', 'olduser'), '1234567890123');
    const { user } = answered(await ridge.get('/users/olduser', asUser('olduser')));
    assert.deepEqual([user.bio, user.email, user.created_at], ['Testing Xano sync', 'test@example.com', 1_234_567_890_123]);
  });

  test('an update is synced by the same seven HSETs', async () => {
    assert.deepEqual(answered(await ridge.write(sync('Updated bio from Xano!'))).results, [0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(answered(await ridge.read([['HGET', 'user:olduser', 'bio']])), ['Updated bio from Xano!']);
  });
}

/** The body of an answer that is as it should be: 200, one round trip, the headers of all answers. */
function answered(answer) {
  assert.equal(answer.status, 200, answer.text);
  hasCommonHeaders(answer, 1);
  return answer.body;
}

function hasCommonHeaders({ headers }, roundTrips) {
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['cache-control'], 'no-store');
  assert.match(headers['x-request-id'], /^[A-Za-z0-9._-]{1,64}$/);
  assert.equal(headers['x-redis-round-trips'], String(roundTrips));
}

function profile(n) {
  return {
    username: `batch${n}`,
    display_name: `User ${n}`,
    bio: 'ünïcödé 😀',
    avatar: '',
    email: `u${n}@example.com`,
    phone: '',
    links: '',
    role: n % 2 ? 'model' : 'user',
    created_at: 1_700_000_000_000 + n, // a number, as the guide's JavaScript has it
    postCount: '0',
    followerCount: String(n),
    followingCount: '2',
  };
}

const hset = (username, fields) => ['HSET', `user:${username}`, ...Object.entries(fields).flat()];

const pairs = (flat) => Object.fromEntries(flat.map((_, i) => flat.slice(i, i + 2)).filter((_, i) => i % 2 === 0));
