// JWTs, judged by the built Worker: HS256 in wasm, the other algorithms by workerd's own WebCrypto, which no native test
// reaches. The tokens are signed by node's crypto.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { JWT_SECRET, asUser, bearer, startRidge } from './support/ridge.mjs';

/** `GET /whoami` with a JWT asks Redis nothing. */
const NO_REDIS = { REDIS_URL: 'redis://127.0.0.1:1' };

const ALGORITHMS = [
  { alg: 'RS256', make: () => generateKeyPairSync('rsa', { modulusLength: 2048 }), digest: 'sha256' },
  { alg: 'ES256', make: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }), digest: 'sha256' },
  { alg: 'EdDSA', make: () => generateKeyPairSync('ed25519'), digest: null },
].map((algorithm) => ({ ...algorithm, keys: algorithm.make() }));

const pem = ({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' });
const jwk = ({ publicKey }, more = {}) => ({ ...publicKey.export({ format: 'jwk' }), ...more });
const claims = (more) => ({ username: 'alice', role: 'user', exp: Math.floor(Date.now() / 1000) + 3600, ...more });

const single = [];
for (const algorithm of ALGORITHMS) {
  for (const [form, key] of [['PEM', pem(algorithm.keys)], ['JWK', JSON.stringify(jwk(algorithm.keys))]]) {
    const ridge = await startRidge({ ...NO_REDIS, JWT_SECRET: '', JWT_PUBLIC_KEY: key });
    single.push({ ...algorithm, form, key, ridge });
  }
}
const jwks = JSON.stringify({ keys: ALGORITHMS.map(({ alg, keys }) => jwk(keys, { kid: `key-${alg}`, alg, use: 'sig' })) });
const withAll = await startRidge({ ...NO_REDIS, JWT_JWKS: jwks });
const hs = await startRidge({ ...NO_REDIS, JWT_SECRET_PREVIOUS: 'p'.repeat(32), JWT_ISSUER: 'https://auth.example.com', JWT_AUDIENCE: 'ridge' });
const short = await startRidge({ ...NO_REDIS, JWT_SECRET: 'short' });

for (const { alg, digest, keys, make, form, key, ridge } of single) {
  const token = (header = {}, { privateKey } = keys) => signed({ alg, typ: 'JWT', ...header }, claims(), digest, privateKey);
  const stranger = make();
  describe(`${alg}, its key a ${form}`, () => {
    test('a token of the key is good, again and again', async () => {
      for (let i = 0; i < 3; i++) await isGood(ridge, token());
      await isGood(ridge, token({ kid: 'any' }));
    });
    test('a token of another key is not', () => isForged(ridge, token({}, stranger)));
    test('a token that was changed is not', async () => {
      const [header, , signature] = token().split('.');
      await isForged(ridge, `${header}.${part(claims({ role: 'admin' }))}.${signature}`);
      await isForged(ridge, `${header}.${part(claims())}.`);
    });
    test('an HMAC with the public key for a secret is not', async () => {
      for (const secret of [pem(keys), pem(keys).trim(), key]) await isForged(ridge, hs256(secret));
    });
    test("nor is a signature under another algorithm's name", async () => {
      for (const other of ALGORITHMS) {
        if (other.alg !== alg) await isForged(ridge, token({ alg: other.alg }));
      }
    });
    test('nor is one without a signature', () => withoutSignature(ridge));
  });
}

describe('a JWKS beside a secret', () => {
  test('each key is found by its name', async () => {
    for (const { alg, digest, keys } of ALGORITHMS) {
      await isGood(withAll, signed({ alg, kid: `key-${alg}` }, claims(), digest, keys.privateKey));
    }
  });
  test('another name finds none', async () => {
    for (const { alg, digest, keys } of ALGORITHMS) {
      await isForged(withAll, signed({ alg, kid: 'key-HS256' }, claims(), digest, keys.privateKey));
    }
  });
  test('the secret is good for HS256 and nothing else', async () => {
    await isGood(withAll, hs256(JWT_SECRET));
    await isForged(withAll, hs256(randomBytes(32)));
    await isForged(withAll, hs256(JWT_SECRET, { alg: 'RS256', kid: 'key-RS256' }));
    await isForged(withAll, hs256(jwks));
  });
  test('no signature is never good', () => withoutSignature(withAll));
});

describe('HS256', () => {
  const right = { iss: 'https://auth.example.com', aud: ['other', 'ridge'] };
  const now = () => Math.floor(Date.now() / 1000);
  test('the secret and the one before it are good', async () => {
    await isGood(hs, hs256(JWT_SECRET, {}, right));
    await isGood(hs, hs256('p'.repeat(32), {}, right));
  });
  test('a token of another issuer or for another audience is not', async () => {
    await isRefused(hs, hs256(JWT_SECRET, {}, { ...right, iss: 'https://evil.example' }), 'Invalid token');
    await isRefused(hs, hs256(JWT_SECRET, {}, { ...right, aud: 'other' }), 'Invalid token');
    await isRefused(hs, hs256(JWT_SECRET), 'Invalid token');
  });
  test("times are judged by the runtime's clock", async () => {
    await isRefused(hs, hs256(JWT_SECRET, {}, { ...right, exp: now() - 60 }), 'Invalid token');
    await isRefused(hs, hs256(JWT_SECRET, {}, { ...right, nbf: now() + 90 }), 'Invalid token');
    await isRefused(hs, hs256(JWT_SECRET, {}, { ...right, exp: undefined }), 'Invalid token');
    await isGood(hs, hs256(JWT_SECRET, {}, { ...right, exp: now() - 5, nbf: now() + 5 }));
  });
  test('claims that name no one say so', async () => {
    await isRefused(hs, hs256(JWT_SECRET, {}, { ...right, username: undefined }), 'Missing username in token');
    await isRefused(hs, hs256(JWT_SECRET, {}, { ...right, role: 'root' }), 'Invalid or missing role in token');
    await isRefused(hs, hs256(JWT_SECRET, {}, { ...right, username: 'xano_sync' }), 'Invalid token');
    await isRefused(hs, hs256(JWT_SECRET, {}, { ...right, username: 'älice' }), 'Invalid token');
  });
  test('a token is taken from each of its three headers, with Bearer or without', async () => {
    const token = hs256(JWT_SECRET, {}, right);
    for (const name of ['x-authorization', 'x-access-token']) {
      for (const value of [token, `Bearer ${token}`]) {
        assert.equal((await hs.get('/whoami', { [name]: value })).status, 200, name);
        const write = await hs.write([['HSET', 'user:alice', 'name', 'x']], { [name]: value });
        assert.deepEqual([write.status, Array.isArray(write.body.availableEndpoints)], [403, true], name);
      }
    }
  });
});

test('a secret that is too short closes what a JWT asks for, and the log says why', async () => {
  const answer = await short.get('/whoami', { ...asUser('alice'), 'X-Request-Id': 'too-short' });
  assert.deepEqual([answer.status, answer.body.code], [500, 'misconfigured']);
  assert.match(await short.lineOf('too-short'), /JWT_SECRET/);
});

function part(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A token with this header and these claims; for ES256 the signature is `r || s`, as JWTs have it. */
function signed(header, claims, digest, privateKey) {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${sign(digest, Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

function hs256(secret, header = {}, more = {}) {
  const text = `${part({ alg: 'HS256', typ: 'JWT', ...header })}.${part(claims(more))}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

async function isGood(ridge, token) {
  const answer = await ridge.get('/whoami', bearer(token));
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(answer.body.caller, { kind: 'user', username: 'alice', role: 'user' });
  assert.equal(answer.body.resolved_user_key, 'user:alice');
}

async function isRefused(ridge, token, error) {
  const answer = await ridge.get('/whoami', bearer(token));
  assert.equal(answer.status, 401, `${token} ${answer.text}`);
  assert.equal(answer.body.error, error);
  assert.ok(answer.headers['www-authenticate']);
}

function isForged(ridge, token) {
  return isRefused(ridge, token, 'Invalid token');
}

async function withoutSignature(ridge) {
  for (const alg of ['none', 'None', 'NONE', '', undefined]) {
    for (const signature of ['', 'AAAA']) await isForged(ridge, `${part({ alg, typ: 'JWT' })}.${part(claims())}.${signature}`);
  }
}
