// Who is calling: an API key, compared in constant time over digests, or a user with an HS256 token.
import { jwtVerify } from 'jose';
import { ApiError } from './error.js';

const ROLES = new Set(['admin', 'user', 'model']);
const USERNAME = /^[A-Za-z0-9_.-]{1,64}$/;
const RESERVED = new Set(['me', 'AUTH', '.', '..', 'xano_sync']);
const FRONTEND_ROUTES = ['GET /users/:id', 'GET /whoami'];
const CREDENTIALS = ['x-api-key', 'authorization', 'x-authorization', 'x-access-token'];

const encoder = new TextEncoder();
const sha256 = (text) => crypto.subtle.digest('SHA-256', encoder.encode(text));

// Made on the isolate's first request, then shared by all.
let jwtKey;
let apiKeyDigest;

export const validUsername = (name) => typeof name === 'string' && USERNAME.test(name) && !RESERVED.has(name);

export async function apiKeyCaller(c, next) {
  const caller = await authenticate(c);
  if (caller.kind !== 'api_key') {
    throw new ApiError(403, 'api_key_required', 'Redis proxy access requires API key authentication', {
      message: 'Frontend clients should use REST endpoints instead',
      availableEndpoints: FRONTEND_ROUTES,
      documentation: 'See docs/FRONTEND_GUIDE.md for frontend integration',
    });
  }
  await next();
}

export async function anyCaller(c, next) {
  await authenticate(c);
  await next();
}

/** A route that is open to all, and shows more to those who say who they are. */
export async function maybeCaller(c, next) {
  if (CREDENTIALS.some((name) => c.req.header(name) !== undefined)) await authenticate(c);
  await next();
}

async function authenticate(c) {
  const key = c.req.header('x-api-key');
  const caller = key === undefined ? await byToken(c) : await byApiKey(c.env, key);
  c.set('caller', caller);
  return caller;
}

async function byApiKey(env, key) {
  apiKeyDigest ??= await sha256(env.XANO_API_KEY);
  if (!crypto.subtle.timingSafeEqual(await sha256(key), apiKeyDigest)) {
    throw new ApiError(401, 'invalid_api_key', 'Missing token', { message: 'The API key matches none' });
  }
  return { kind: 'api_key', username: 'xano_sync', role: 'admin' };
}

async function byToken(c) {
  const token = bearer(
    c.req.header('authorization') ?? c.req.header('x-authorization') ?? c.req.header('x-access-token'),
  );
  if (!token) throw new ApiError(401, 'missing_token', 'Missing token');
  const claims = await verify(c.env, token);
  const { username, role } = claims;
  if (username === undefined) throw new ApiError(401, 'invalid_token', 'Missing username in token');
  if (!ROLES.has(role)) throw new ApiError(401, 'invalid_token', 'Invalid or missing role in token');
  if (!validUsername(username)) throw new ApiError(401, 'invalid_token', 'Invalid token');
  return { kind: 'user', username, role, claims };
}

const bearer = (value) => (value?.startsWith('Bearer ') ? value.slice(7) : value);

async function verify(env, token) {
  jwtKey ??= await importSecret(env.JWT_SECRET);
  try {
    const { payload } = await jwtVerify(token, jwtKey, {
      algorithms: ['HS256'],
      requiredClaims: ['exp'],
      clockTolerance: 30,
    });
    return payload;
  } catch {
    throw new ApiError(401, 'invalid_token', 'Invalid token');
  }
}

function importSecret(secret) {
  const bytes = encoder.encode(secret);
  if (bytes.length < 32) throw new ApiError(500, 'misconfigured', 'The server is misconfigured');
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}
