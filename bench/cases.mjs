// What is asked, and what a right answer is. A case is a request and a `check` of its answer, which throws; `form` tells the
// check whether the answer is Ridge's and the peer's (`api`) or the upstream's own, as the pass-through gives it (`bare`).
//
// A case that writes has `fields` too: before it is verified they are removed from Redis, and afterwards they must be there.
import assert from 'node:assert/strict';
import { profile, READ_ONLY, username, VIEWER } from './data.mjs';
import { secrets, token } from './secrets.mjs';

const json = { 'content-type': 'application/json' };
const asBackend = { 'x-api-key': secrets.apiKey, ...json };
const asViewer = { authorization: `Bearer ${token(VIEWER)}` };

export const CASES = [
  whoami(),
  reads('read-1', 1),
  reads('read-50', 50),
  writes('write-1x3', 'HSET of 3 fields, none of them protected', 1, plainFields(3)),
  writes('resync-1x3', 'HSET of 3 fields, one of them protected and unchanged', 1, resyncFields),
  writes('write-100x3', '100 HSETs of 3 fields', 100, plainFields(3)),
  user(),
  writes('write-1000x10', '1,000 HSETs of 10 fields', 1000, plainFields(10)),
];

function whoami() {
  return {
    name: 'whoami',
    what: 'GET /whoami with a JWT',
    method: 'GET',
    path: '/whoami',
    headers: asViewer,
    check({ resolved_user_key, caller, jwt_payload }) {
      assert.equal(resolved_user_key, `user:${VIEWER}`);
      assert.equal(caller.username, VIEWER);
      assert.equal(jwt_payload.username, VIEWER);
    },
  };
}

/** HGETALL and HGET by turns, each on another user. */
function reads(name, count) {
  const users = Array.from({ length: count }, (_, n) => n);
  const whole = (n) => n % 2 === 0;
  const commands = users.map((n) =>
    whole(n) ? ['HGETALL', `user:${username(n)}`] : ['HGET', `user:${username(n)}`, 'email'],
  );
  return {
    name,
    what: `POST / with ${count === 1 ? '1 HGETALL' : `${count} HGETALL and HGET`}`,
    method: 'POST',
    path: '/',
    headers: asBackend,
    body: JSON.stringify(commands),
    check(answer, form) {
      const expected = users.map((n) => {
        const value = profile(n);
        if (!whole(n)) return value.email;
        return form === 'api' ? value : Object.entries(value).flat();
      });
      assert.deepEqual(form === 'api' ? answer : answer.map(({ result }) => result), expected);
    },
  };
}

function writes(name, what, count, fieldsOf) {
  const users = Array.from({ length: count }, (_, n) => READ_ONLY + n);
  const batch = users.map((n) => ({ key: `user:${username(n)}`, fields: fieldsOf(n) }));
  return {
    name,
    what: `POST /redis/write with ${count === 1 ? '1 ' : ''}${what}`,
    method: 'POST',
    path: '/redis/write',
    headers: asBackend,
    body: JSON.stringify(batch.map(({ key, fields }) => ['HSET', key, ...Object.entries(fields).flat()])),
    batch,
    check(answer, form) {
      const results = form === 'api' ? answer.results : answer.map(({ result }) => result);
      assert.equal(results.length, count);
      results.forEach((result) => assert.equal(typeof result, 'number', String(result)));
      if (form === 'api') assert.equal(answer.username, 'xano_sync');
    },
  };
}

/** `count` fields that the stored profile does not have, so that writing them shows. */
function plainFields(count) {
  const values = {
    headline: 'Bridges, books and long walks',
    city: 'Lisbon',
    status: 'active',
    country: 'Portugal',
    timezone: 'Europe/Lisbon',
    website: 'https://example.com/bridges',
    theme: 'dark',
    last_seen: '1763550000000',
    interests: 'bridges,books,walks',
    onboarding: 'done',
  };
  return () => Object.fromEntries(Object.entries(values).slice(0, count));
}

/** What a sync job sends that runs twice: a protected field with the value that is stored already, beside two others. */
function resyncFields(n) {
  return { display_name: profile(n).display_name, ...plainFields(2)() };
}

function user() {
  const { username: name } = profile(1);
  return {
    name: 'user',
    what: "GET /users/:id with another user's JWT",
    method: 'GET',
    path: `/users/${name}`,
    headers: asViewer,
    check(answer, form) {
      const [flat, follows] = form === 'bare' ? answer.map(({ result }) => result) : [];
      if (form === 'bare') {
        assert.deepEqual(flat, Object.entries(profile(1)).flat());
        assert.equal(follows, 1);
        return;
      }
      const hidden = ['first_name', 'last_name', 'email', 'phone_number', 'language'];
      const numbers = ['postCount', 'followerCount', 'followingCount', 'created_at'];
      const expected = Object.entries(profile(1))
        .filter(([field]) => !hidden.includes(field))
        .map(([field, value]) => [field, numbers.includes(field) ? Number(value) : value]);
      assert.deepEqual(answer.user, { ...Object.fromEntries(expected), isFollowing: true });
    },
  };
}

/** The bytes of a case's request, the same for the verification and for the load. */
export function rawRequest({ method, path, headers, body }) {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const lines = Object.entries({ host: 'ridge.example.com', ...headers, ...length }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return [`${method} ${path} HTTP/1.1`, ...lines, '', body ?? ''].join('\r\n');
}
