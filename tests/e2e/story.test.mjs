// One story through the built Worker, over HTTP: three people sign up, post, follow, like and comment; a post is banned and
// comes back; a backend tells by webhook; and in the end everyone leaves, and nothing of them is left. Then what is too large
// for one request, with the queue and the timer of `wrangler dev`.

import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { overIndependentRest, overOwnRest, overTcp } from './support/backends.mjs';
import { redisClient } from './support/redis.mjs';
import { API_KEY, JWT_SECRET, asBackend, asUser, startRidge } from './support/ridge.mjs';
import { startDev } from './support/wrangler.mjs';

const WEBHOOK_SECRET = randomBytes(32).toString('hex');

/** No job of these tests takes as long. */
const DONE_WITHIN_MS = 30_000;

/** What goes by itself, some of it within a day. */
const PASSING = /^(idempotency|webhook|ridge):/;

const stages = [];
for (const { name, vars, redisUrl } of [await overTcp(), await overIndependentRest(), await overOwnRest()]) {
  const ridge = callsOf(await startRidge({ ...vars, ENVIRONMENT: 'development', WEBHOOK_SECRET }));
  stages.push({ name, ridge, redis: await redisClient(redisUrl) });
}

const tcp = await overTcp();
const variables = { ...tcp.vars, ENVIRONMENT: 'development' };
const dev = await startDev({ ...variables, XANO_API_KEY: API_KEY, JWT_SECRET, RECONCILE: 'mend' });
const withoutQueue = await startRidge(variables);
const besides = await redisClient(tcp.redisUrl);

for (const { name, ridge, redis } of stages) describe(`over ${name}`, () => story(ridge, redis));
describe('what is too large for one request', () => largeDeletions(besides));

/** Requests that give the body of an answer, which must have this status and one round trip. */
function callsOf({ ask }) {
  const call = async (method, path, headers, { body, status = 200 } = {}) => {
    const answer = await ask({ method, path, headers, body: body && JSON.stringify(body) });
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
    assert.equal(answer.headers['x-redis-round-trips'], '1', `${method} ${path}`);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.headers['cache-control'], 'no-store');
    return answer.body;
  };
  const get = (path, headers, status) => call('GET', path, headers, { status });
  const sync = async (list, items) => {
    const { results } = await call('POST', `/sync/${list}`, asBackend, { body: items });
    return results.map(({ status }) => status);
  };
  return { ask, call, get, sync, ids: async (path, headers) => idsOf(await get(path, headers)) };
}

function idsOf({ posts }) {
  return posts.map(({ post }) => post.id);
}

/** The tests of it happen one after the other, each where the one before has left off. */
function story(ridge, redis) {
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => asUser(name));
  const admin = asUser('boss', 'admin');
  const doIt = (headers, method, path, options) => ridge.call(method, path, headers, options);
  let first, second, third;

  /** A signed webhook, with any headers on top. */
  const webhook = (event, item, headers = {}) => {
    const [path, body] = [`/webhooks/${event}`, JSON.stringify(item)];
    const timestamp = Math.floor(Date.now() / 1000);
    const hex = createHmac('sha256', WEBHOOK_SECRET).update(`${timestamp}.${path}.${body}`).digest('hex');
    const signed = { 'X-Webhook-Timestamp': timestamp, 'X-Webhook-Signature': `v1=${hex}`, ...headers };
    return ridge.ask({ method: 'POST', path, headers: signed, body });
  };

  test('they sign up, and a list sent twice changes nothing', async () => {
    const people = [
      { username: 'alice', display_name: 'Alice Ünal 😀', role: 'model', email: 'alice@example.com' },
      { username: 'bob', display_name: 'Bob' },
      { username: 'carol', avatar: 'https://example.com/c.png' },
    ];
    assert.deepEqual(await ridge.sync('users', people), ['created', 'created', 'created']);
    assert.deepEqual(await ridge.sync('users', people), ['unchanged', 'unchanged', 'unchanged']);
    const { user } = await ridge.get('/users/alice', bob);
    assert.deepEqual([user.display_name, user.role, user.email, user.isFollowing], ['Alice Ünal 😀', 'model', undefined, false]);
    assert.equal((await ridge.get('/users/me', alice)).user.email, 'alice@example.com');
    assert.deepEqual(await ridge.get('/sync/stats', asBackend), { users: 2, models: 1, posts: 0 });
  });

  test('they post, and an Idempotency-Key makes one post of two requests', async () => {
    const write = async (headers, content) => (await doIt(headers, 'POST', '/posts', { body: { content }, status: 201 })).post;
    const keyed = { ...alice, 'Idempotency-Key': 'click-1' };
    const made = await write(keyed, 'one #story 😀');
    assert.deepEqual(await write(keyed, 'one #story 😀'), made);
    assert.deepEqual([made.content, made.hashtags, made.display_name], ['one #story 😀', ['story'], 'Alice Ünal 😀']);
    first = made.id;
    second = (await write({ ...alice, 'Idempotency-Key': 'click-2' }, 'two #story')).id;
    third = (await write(bob, 'three #story #other')).id;
    assert.deepEqual(await ridge.ids('/feed/explore'), [third, second, first]);
  });

  test('they follow, like, bookmark and comment', async () => {
    for (const who of [bob, carol]) {
      assert.deepEqual(await doIt(who, 'POST', '/users/alice/follow'), { message: 'Followed alice', changed: true });
    }
    assert.equal((await doIt(bob, 'POST', '/users/alice/follow')).changed, false);
    assert.deepEqual(await doIt(bob, 'POST', `/posts/${first}/like`), { message: 'Post liked', changed: true, likesCount: 1 });
    assert.equal((await doIt(carol, 'POST', `/posts/${first}/like`)).likesCount, 2);
    assert.equal((await doIt(carol, 'POST', `/posts/${third}/like`)).likesCount, 1);
    assert.equal((await doIt(bob, 'POST', `/posts/${first}/bookmark`)).bookmarksCount, 1);
    const { comment } = await doIt(bob, 'POST', `/posts/${first}/comments`, { body: { content: 'ünïcödé 😀' }, status: 201 });
    const { comments } = await ridge.get(`/posts/${first}/comments`, carol);
    assert.deepEqual([comments[0].id, comments[0].content, comments[0].user.display_name], [comment.id, 'ünïcödé 😀', 'Bob']);
    const { post } = await ridge.get(`/posts/${first}`, bob);
    assert.deepEqual([post.likesCount, post.commentsCount, post.bookmarksCount, post.isLiked], [2, 1, 1, true]);
    const { models } = await ridge.get('/search/models/top', bob);
    assert.deepEqual(models.map(({ username, engagement_score: score }) => [username, score]), [['alice', 15]]);
  });

  test('each feed shows what belongs there', async () => {
    const anonymous = await ridge.get('/feed/explore?limit=2');
    assert.deepEqual([idsOf(anonymous), anonymous.posts[0].post.isLiked], [[third, second], false]);
    const rest = await ridge.get(`/feed/explore?cursor=${anonymous.pagination.nextCursor}`);
    assert.deepEqual([idsOf(rest), rest.pagination.hasMore], [[first], false]);
    assert.deepEqual(await ridge.ids('/feed/following', bob), [second, first]);
    assert.deepEqual(await ridge.ids('/feed/hashtag/story', bob), [third, second, first]);
    assert.deepEqual(await ridge.ids('/feed/hashtag/other', bob), [third]);
    assert.deepEqual(await ridge.ids('/users/me/liked', carol), [third, first]);
    assert.deepEqual(await ridge.ids('/users/me/bookmarked', bob), [first]);
  });

  test('the best come first, page by page', async () => {
    const ranked = [];
    let cursor = '';
    do {
      const { posts, pagination } = await ridge.get(`/feed/hashtag/story/ranked?limit=1${cursor}`, bob);
      ranked.push(...idsOf({ posts }));
      cursor = pagination.nextCursor && `&cursor=${pagination.nextCursor}`;
    } while (cursor);
    assert.deepEqual(ranked, [first, third, second]);
  });

  test('a banned post is out of every feed until the ban is lifted', async () => {
    const feeds = ['/feed/explore', '/feed/following', '/feed/hashtag/story', '/feed/hashtag/story/ranked', '/users/alice/posts', '/users/me/liked'];
    const inFeeds = async () => {
      const found = [];
      for (const feed of feeds) if ((await ridge.ids(feed, bob)).includes(first)) found.push(feed);
      return found;
    };
    assert.deepEqual(await inFeeds(), feeds);
    assert.deepEqual(await doIt(admin, 'PATCH', `/posts/${first}/ban`), { message: 'Post banned', changed: true });
    assert.deepEqual(await inFeeds(), []);
    await ridge.get(`/posts/${first}`, bob, 404);
    assert.equal((await ridge.get(`/posts/${first}`, alice)).post.banned, 'true');
    assert.equal((await ridge.get('/users/alice', bob)).user.postCount, 1);
    assert.deepEqual(await doIt(admin, 'DELETE', `/posts/${first}/ban`), { message: 'Ban lifted', changed: true });
    assert.deepEqual(await inFeeds(), feeds);
  });

  test('a webhook needs a good signature, and its id makes a copy do nothing', async () => {
    const like = { username: 'bob', post_id: second };
    const forged = await webhook('like', like, { 'X-Webhook-Signature': `v1=${'0'.repeat(64)}` });
    assert.deepEqual([forged.status, forged.body.code], [401, 'invalid_signature']);
    const late = await webhook('like', like, { 'X-Webhook-Timestamp': Math.floor(Date.now() / 1000) - 301 });
    assert.deepEqual([late.status, late.body.message], [401, 'X-Webhook-Timestamp is too far from now']);
    assert.equal((await ridge.ask({ method: 'POST', path: '/webhooks/like', body: JSON.stringify(like) })).status, 401);

    const id = { 'X-Webhook-Id': 'event-1' };
    const received = async (...event) => {
      const answer = await webhook(...event);
      assert.deepEqual([answer.status, answer.headers['x-redis-round-trips']], [200, '1'], answer.text);
      return answer.body;
    };
    assert.deepEqual(await received('like', like, id), { status: 'created', changed: true });
    assert.deepEqual(await received('unlike', like, id), { status: 'deleted', changed: true });
    assert.deepEqual(await received('like', like, id), { status: 'unchanged', changed: false });
    assert.equal((await ridge.get(`/posts/${second}`, bob)).post.isLiked, false);
    assert.deepEqual(await received('like', like), { status: 'created', changed: true });
    // Two headers of one name are joined on their way into the Worker, and no longer what was signed.
    const twice = await webhook('like', like, { 'X-Webhook-Timestamp': ['1', '2'] });
    assert.deepEqual([twice.status, twice.body.message], [401, 'X-Webhook-Timestamp must be in seconds']);
  });

  test('what others cannot know of is the same 404 as what is not there', async () => {
    assert.deepEqual((await ridge.get('/posts/never', bob, 404)).code, 'post_not_found');
    assert.deepEqual((await doIt(bob, 'POST', '/users/nobody/follow', { status: 404 })).code, 'user_not_found');
    assert.deepEqual((await doIt(bob, 'DELETE', `/posts/${first}`, { status: 403 })).code, 'forbidden');
  });

  test('when everyone has left, nothing of them is left', async () => {
    assert.deepEqual(await doIt(alice, 'DELETE', '/users/me'), { message: 'User deleted', postsDeleted: 2 });
    assert.deepEqual(await ridge.ids('/feed/explore'), [third]);
    assert.deepEqual(await ridge.sync('users', [{ username: 'bob', deleted: true }]), ['deleted']);
    assert.equal((await webhook('user-delete', { username: 'carol' })).body.status, 'deleted');
    assert.equal((await doIt(bob, 'POST', '/posts', { body: { content: 'back' }, status: 404 })).code, 'user_not_found');
    for (const key of await redis.run('KEYS', '*')) {
      assert.match(key, PASSING);
      assert.ok(await redis.run('PTTL', key) > 0, `${key} stays for ever`);
    }
  });
}

/** Someone with a thousand followers leaves: once with a queue, once without. */
function largeDeletions(redis) {
  const ridge = callsOf(dev);
  const fans = Array.from({ length: 1000 }, (_, n) => `fan${n}`);

  /** Makes somebody whom all the fans follow. */
  const makeFamous = async (username) => {
    await ridge.sync('users', [{ username }]);
    await ridge.sync('users', fans.map((name) => ({ username: name })));
    const follows = await ridge.sync('follows', fans.map((follower) => ({ follower, following: username })));
    assert.deepEqual(new Set(follows), new Set(['created']));
  };
  const leave = async (through, username) => {
    const body = await callsOf(through).call('DELETE', '/users/me', asUser(username), { status: 202 });
    assert.deepEqual(body, { message: 'User is being deleted', postsDeleted: 0 });
    await ridge.get(`/users/${username}`, asBackend, 404);
  };
  const traces = async (username) =>
    (await redis.run('KEYS', '*')).filter((key) => key.startsWith(`user:${username}`) || key.includes('job'));
  const isGone = async (username) => {
    assert.deepEqual(await traces(username), []);
    const counts = await Promise.all(fans.map((name) => redis.run('HGET', `user:${name}`, 'followingCount')));
    assert.deepEqual(new Set(counts), new Set(['0']));
    assert.deepEqual(await redis.run('KEYS', '*:following'), []);
  };

  test('a queue completes it in the background', async () => {
    await makeFamous('famous');
    await leave(dev, 'famous');
    for (const deadline = Date.now() + DONE_WITHIN_MS; (await traces('famous')).length > 0; await sleep(50)) {
      assert.ok(Date.now() < deadline, 'the queue does not work');
    }
    await isGone('famous');
  });

  test('without a queue it waits for the timer', async () => {
    await makeFamous('famed');
    await leave(withoutQueue, 'famed');
    const before = await traces('famed');
    assert.ok(before.includes('jobs:pending') && before.includes('user:famed:followers'), before.join());
    const ran = await dev.tick();
    assert.deepEqual([ran.status, ran.text], [200, 'ok']);
    await isGone('famed');
  });

  test('the timer mends what was counted wrong, and says so', async () => {
    await redis.run('DEL', 'reconcile:cursor');
    await redis.run('HSET', 'user:fan7', 'postCount', '9');
    // Several slices may be needed for all keys.
    for (let ticks = 0; await redis.run('HGET', 'user:fan7', 'postCount') !== '0'; ticks++) {
      assert.ok(ticks < 10, 'it does not come to it');
      assert.equal((await dev.tick()).status, 200);
    }
    const deadline = Date.now() + DONE_WITHIN_MS;
    while (!dev.log.some((line) => line.includes('"key":"user:fan7"'))) {
      assert.ok(Date.now() < deadline, 'no line in the log');
      await sleep(20);
    }
    const line = dev.log.find((line) => line.includes('"key":"user:fan7"'));
    const { checked, ...rest } = JSON.parse(/\{.*\}/.exec(line)[0]);
    assert.ok(checked > 0);
    const difference = { key: 'user:fan7', field: 'postCount', stored: '9', counted: '0' };
    assert.deepEqual(rest, { level: 'warn', reconcile: 'mend', differences: 1, first: difference });
    assert.ok(!dev.log.some((line) => line.includes(API_KEY) || line.includes(JWT_SECRET)));
  });
}
