// Makes JWTs for trying things out, signed with HS256 as the Worker expects them.
//
//   npm run token -- alice user        a day long
//   npm run token -- alice admin 1     an hour long

import { createHmac } from 'node:crypto';
import { devVars } from './devvars.mjs';
import { Failure, main } from './process.mjs';

const ROLES = ['admin', 'user', 'model'];
const USERNAME = /^[A-Za-z0-9_.-]{1,64}$/;
const NO_USERNAMES = ['me', 'AUTH', '.', '..', 'xano_sync'];
const SHORTEST_SECRET = 32;

/** A token for `username`, valid from `now` (ms) for so many hours. What it claims is not checked: tests need bad ones. */
export function signToken({ username, role, secret, hours = 24, now = Date.now() }) {
  const iat = Math.floor(now / 1000);
  return signClaims({ username, role, iat, exp: iat + Math.round(hours * 3600) }, secret);
}

/** A token with exactly these claims. */
export function signClaims(claims, secret) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function fromArguments([username, role, hours = '24', ...rest]) {
  if (role === undefined || rest.length) throw new Failure('Usage: npm run token -- <username> <admin|user|model> [hours]');
  if (!USERNAME.test(username) || NO_USERNAMES.includes(username)) {
    throw new Failure(`'${username}' is no username: 1 to 64 of A-Z a-z 0-9 _ . - and none of ${NO_USERNAMES.join(' ')}`);
  }
  if (!ROLES.includes(role)) throw new Failure(`'${role}' is no role: it is one of ${ROLES.join(', ')}`);
  if (!(Number(hours) > 0 && Number.isFinite(Number(hours)))) throw new Failure(`'${hours}' is no number of hours`);
  return { username, role, hours: Number(hours) };
}

function secret() {
  const secret = process.env.JWT_SECRET || devVars().JWT_SECRET;
  if (!secret) throw new Failure('There is no JWT_SECRET, neither in the environment nor in .dev.vars (`npm start` writes one).');
  if (Buffer.byteLength(secret) < SHORTEST_SECRET) {
    throw new Failure(`JWT_SECRET is shorter than ${SHORTEST_SECRET} bytes; the Worker would refuse to use it.`);
  }
  return secret;
}

await main(import.meta, () => console.log(signToken({ ...fromArguments(process.argv.slice(2)), secret: secret() })));
