// @auth/upstash-redis-adapter against the built Worker: all that Auth.js asks of an adapter, in its order, with the prefixes, the
// ACL and the expiry rules that docs/KEYS_AND_NAMESPACES.md has for a Redis that several applications share.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { UpstashRedisAdapter } from '@auth/upstash-redis-adapter';
import { Redis } from '@upstash/redis';
import { keysIn, startGateways } from './support/gateways.mjs';

const PREFIXES = {
  accountKeyPrefix: 'nextauth:account:',
  accountByUserIdPrefix: 'nextauth:account:by-user-id:',
  emailKeyPrefix: 'nextauth:email:',
  sessionKeyPrefix: 'nextauth:session:',
  sessionByUserIdKeyPrefix: 'nextauth:session:by-user-id:',
  userKeyPrefix: 'nextauth:user:',
  verificationTokenKeyPrefix: 'nextauth:token:',
};

const guide = readFileSync(new URL('../../docs/KEYS_AND_NAMESPACES.md', import.meta.url), 'utf8');
const variable = (name) => new RegExp(`^\`\`\`json ${name}\n([^]*?)^\`\`\`$`, 'm').exec(guide)[1];
const { acl } = JSON.parse(variable('API_KEYS')).find(({ name }) => name === 'nextauth');
const NAMESPACES = variable('NAMESPACES');

/** `narrow` lacks what the adapter needs to delete the key `null`: it does where a user has no account or no session. */
const ACLS = { nextauth: acl, narrow: '~nextauth:* +get +set +del' };

const token = () => randomBytes(16).toString('hex');
const hour = (n) => new Date(Math.floor(Date.now() / 1000) * 1000 + n * 3_600_000);

for (const { name, url, tokenOf, redis: behind } of await startGateways(ACLS, { NAMESPACES })) {
  const adapterFor = (key, options = PREFIXES) => UpstashRedisAdapter(new Redis({ url, token: tokenOf(key) }), options);
  describe(`over ${name}`, () => {
    describe('one user from the first visit to the last', () => story(adapterFor('nextauth'), behind));
    describe('its limits', () => limits(adapterFor, behind));
  });
}

/** The tests of it happen one after the other, each where the one before has left off. */
function story(adapter, behind) {
  const account = { type: 'oauth', provider: 'azure', providerAccountId: 'ada@example.com', access_token: token(), expires_at: 1795197304 };
  const session = { sessionToken: token(), expires: hour(1) };
  let user;

  test('createUser: the user has an id, and dates stay dates', async () => {
    const profile = { email: 'ada@example.com', name: 'Ada Lovelace ✨', image: 'https://example.com/ada.png', emailVerified: hour(0) };
    user = await adapter.createUser(profile);
    assert.deepEqual(user, { ...profile, id: user.id });
    assert.deepEqual(await adapter.getUser(user.id), user);
  });

  test('getUserByEmail, and of nobody null', async () => {
    assert.deepEqual(await adapter.getUserByEmail('ada@example.com'), user);
    assert.equal(await adapter.getUserByEmail('bob@example.com'), null);
    assert.equal(await adapter.getUser('nobody'), null);
  });

  test('updateUser keeps what it is not told', async () => {
    user = await adapter.updateUser({ id: user.id, name: 'Ada King' });
    assert.equal(user.email, 'ada@example.com');
    assert.deepEqual(await adapter.getUser(user.id), user);
  });

  test('linkAccount, getUserByAccount', async () => {
    const linked = await adapter.linkAccount({ ...account, userId: user.id });
    assert.equal(linked.id, 'azure:ada@example.com');
    assert.deepEqual(await adapter.getUserByAccount(account), user);
    assert.equal(await adapter.getUserByAccount({ provider: 'azure', providerAccountId: 'bob' }), null);
  });

  test('createSession, getSessionAndUser, updateSession', async () => {
    Object.assign(session, { userId: user.id });
    assert.deepEqual(await adapter.createSession(session), session);
    assert.deepEqual(await adapter.getSessionAndUser(session.sessionToken), { session, user });
    session.expires = hour(2);
    assert.deepEqual(await adapter.updateSession({ sessionToken: session.sessionToken, expires: session.expires }), session);
    assert.deepEqual(await adapter.getSessionAndUser(session.sessionToken), { session, user });
    assert.equal(await adapter.getSessionAndUser('nothing'), null);
    assert.equal(await adapter.updateSession({ sessionToken: 'nothing' }), null);
  });

  test('a verification token is used once', async () => {
    const verification = { identifier: 'ada@example.com', token: token(), expires: hour(1) };
    assert.deepEqual(await adapter.createVerificationToken(verification), verification);
    assert.deepEqual(await adapter.useVerificationToken(verification), verification);
    assert.equal(await adapter.useVerificationToken(verification), null);
  });

  test('every key lies in the namespace', async () => {
    assert.deepEqual(await keysIn(behind), [
      'nextauth:account:azure:ada@example.com',
      `nextauth:account:by-user-id:${user.id}`,
      'nextauth:email:ada@example.com',
      `nextauth:session:${session.sessionToken}`,
      `nextauth:session:by-user-id:${user.id}`,
      `nextauth:user:${user.id}`,
    ].sort());
  });

  test('sessions expire by the rule, users do not', async () => {
    for (const key of [`nextauth:session:${session.sessionToken}`, `nextauth:session:by-user-id:${user.id}`]) {
      assert.ok(await behind.run('TTL', key) > 0, key);
    }
    for (const key of [`nextauth:user:${user.id}`, 'nextauth:email:ada@example.com', `nextauth:account:by-user-id:${user.id}`]) {
      assert.equal(await behind.run('TTL', key), -1, key);
    }
  });

  test('deleteSession, unlinkAccount', async () => {
    await adapter.deleteSession(session.sessionToken);
    assert.equal(await adapter.getSessionAndUser(session.sessionToken), null);
    await adapter.unlinkAccount(account);
    assert.equal(await adapter.getUserByAccount(account), null);
    await adapter.unlinkAccount(account);
  });

  test('deleteUser takes along what is left', async () => {
    await adapter.linkAccount({ ...account, userId: user.id });
    await adapter.createSession({ ...session, sessionToken: token() });
    await adapter.deleteUser(user.id);
    assert.equal(await adapter.getUser(user.id), null);
    assert.equal(await adapter.getUserByEmail('ada@example.com'), null);
    assert.deepEqual(await keysIn(behind), []);
    await adapter.deleteUser(user.id);
  });
}

function limits(adapterFor, behind) {
  test('a user without an account leaves too, since the key reaches the `null` that the adapter deletes', async () => {
    const user = await adapterFor('nextauth').createUser({ email: 'bob@example.com', emailVerified: null });
    await assert.rejects(adapterFor('narrow').deleteUser(user.id), /NOPERM this user has no permissions to access one of the keys/);
    assert.deepEqual(await adapterFor('narrow').getUser(user.id), user);
    await adapterFor('nextauth').deleteUser(user.id);
    assert.deepEqual(await keysIn(behind), []);
  });

  test("with the adapter's own prefixes the key reaches nothing", async () => {
    for (const options of [{}, { baseKeyPrefix: 'other:' }]) {
      await assert.rejects(adapterFor('nextauth', options).createUser({ email: 'eve@example.com' }), /NOPERM/);
      await assert.rejects(adapterFor('nextauth', options).getUser('1'), /NOPERM/);
    }
    const user = await adapterFor('nextauth', { baseKeyPrefix: 'nextauth:' }).createUser({ email: 'eve@example.com' });
    assert.deepEqual(await keysIn(behind), [`nextauth:user:${user.id}`, 'nextauth:user:email:eve@example.com'].sort());
    assert.equal(await behind.run('UNLINK', `nextauth:user:${user.id}`, 'nextauth:user:email:eve@example.com'), 2);
  });
}
