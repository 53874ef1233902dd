// The curl lines that `npm start` prints, ready to paste: the Xano guide's own walk-through, and a command of Upstash's API.

import { signToken } from './token.mjs';

/**
 * Creates a user as the backend, reads it as the backend, reads it as another user; and sets a key as Upstash's clients do, if
 * there is an API key for that. One line of shell each.
 */
export function walkthrough(origin, { XANO_API_KEY = '<your API key>', API_KEYS, JWT_SECRET }) {
  const token = JWT_SECRET ? signToken({ username: 'alice', role: 'user', secret: JWT_SECRET }) : '<a JWT of yours>';
  const key = quote(`X-API-Key: ${XANO_API_KEY}`);
  const hset = ['HSET', 'user:testuser', ...Object.entries(TEST_USER).flat()];
  return [
    `curl -X POST ${origin}/redis/write -H ${key} -d ${quote(JSON.stringify([hset]))}`,
    `curl -X POST ${origin}/ -H ${key} -d ${quote(JSON.stringify([['HGETALL', 'user:testuser']]))}`,
    `curl ${origin}/users/testuser -H ${quote(`Authorization: Bearer ${token}`)}`,
    ...gatewayKeys(API_KEYS).slice(0, 1).map((key) => `curl ${origin}/redis/set/foo/bar -H ${quote(`Authorization: Bearer ${key}`)}`),
  ];
}

/** The keys of scope `gateway` that stand in the configuration as they are. What is wrong with it, the Worker says. */
function gatewayKeys(json) {
  try {
    return JSON.parse(json).filter(({ key, scopes = ['gateway'] }) => key && scopes.includes('gateway')).map(({ key }) => key);
  } catch {
    return [];
  }
}

const TEST_USER = { username: 'testuser', display_name: 'Test User', bio: 'Test bio from sync', role: 'user' };

/** A text as one word of the shell. */
function quote(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
