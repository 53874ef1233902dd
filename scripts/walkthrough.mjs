// The three curl lines that `npm start` prints: the Xano guide's own walk-through, ready to paste.

import { signToken } from './token.mjs';

/** Creates a user as the backend, reads it as the backend, reads it as another user. One line of shell each. */
export function walkthrough(origin, { XANO_API_KEY = '<your API key>', JWT_SECRET }) {
  const token = JWT_SECRET ? signToken({ username: 'alice', role: 'user', secret: JWT_SECRET }) : '<a JWT of yours>';
  const key = quote(`X-API-Key: ${XANO_API_KEY}`);
  const hset = ['HSET', 'user:testuser', ...Object.entries(TEST_USER).flat()];
  return [
    `curl -X POST ${origin}/redis/write -H ${key} -d ${quote(JSON.stringify([hset]))}`,
    `curl -X POST ${origin}/ -H ${key} -d ${quote(JSON.stringify([['HGETALL', 'user:testuser']]))}`,
    `curl ${origin}/users/testuser -H ${quote(`Authorization: Bearer ${token}`)}`,
  ];
}

const TEST_USER = { username: 'testuser', display_name: 'Test User', bio: 'Test bio from sync', role: 'user' };

/** A text as one word of the shell. */
function quote(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
