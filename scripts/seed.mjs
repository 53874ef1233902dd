// Fills a Redis with users, posts, follows, likes, bookmarks and comments, as if people had used Ridge for a year.
//
//   npm run seed -- --users 1000 --posts 10000
//
//   --users N      how many (1,000)
//   --posts N      how many (10 for each user)
//   --url URL      which Redis; else REDIS_URL of the environment or of .dev.vars, else the one that `npm start` runs
//   --seed N       another number gives other data, the same number the same (1)
//   --now TIME     when the year of posts ends: ms or an ISO date (now)
//   --append       into a Redis that has posts or users already; --prefix must be new there
//   --prefix NAME  what usernames begin with (user: user000000, user000001, …)
//
// The first users have the most followers and posts, the last one is an admin. `npm run token -- user000000 user` makes a
// token for one of them.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connectRedis } from './connection.mjs';
import { devVars } from './devvars.mjs';
import { STATE } from './paths.mjs';
import { Failure, main } from './process.mjs';
import { note, say } from './progress.mjs';
import { urlOfRedisIn } from './redis.mjs';
import { writeDataset } from './seed/dataset.mjs';
import { workerVariables } from './variables.mjs';

const OPTIONS = {
  users: { type: 'string' },
  posts: { type: 'string' },
  url: { type: 'string' },
  seed: { type: 'string' },
  now: { type: 'string' },
  prefix: { type: 'string' },
  append: { type: 'boolean' },
};

const PREFIX = /^[A-Za-z0-9_.-]{1,50}$/;

/** Any of these means that someone's data is here. */
const TAKEN = ['explore:feed', 'users:regular', 'users:models', 'posts:banned'];

async function seed() {
  const plan = planOf(parsed());
  const redis = await connectRedis(plan.url ?? (await usualUrl()));
  try {
    await checkRoom(redis, plan);
    note(`filling the Redis at ${redis.name}`);
    const { people, totals } = await writeDataset(redis, plan);
    report(plan, people, totals, await memory(redis));
  } finally {
    redis.close();
  }
}

function parsed() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: false }).values;
  } catch (error) {
    throw new Failure(error.message);
  }
}

function planOf({ users = '1000', posts, url, seed = '1', now, prefix = 'user', append = false }) {
  const many = wholeNumber('users', users, 2, 10_000_000);
  if (!PREFIX.test(prefix)) throw new Failure(`--prefix takes 1 to 50 of A-Z a-z 0-9 _ . -, not '${prefix}'.`);
  return {
    users: many,
    posts: posts === undefined ? 10 * many : wholeNumber('posts', posts, 0, 100_000_000),
    seed: wholeNumber('seed', seed, 0, Number.MAX_SAFE_INTEGER),
    now: now === undefined ? Date.now() : moment(now),
    url,
    prefix,
    append,
  };
}

function wholeNumber(name, text, least, most) {
  const number = Number(text.replace(/[,_](?=\d{3})/g, ''));
  if (text === '' || !Number.isInteger(number) || number < least || number > most) {
    throw new Failure(`--${name} takes a whole number from ${least} to ${most.toLocaleString('en')}, not '${text}'.`);
  }
  return number;
}

function moment(text) {
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (!(ms >= Date.UTC(2000) && ms < Date.UTC(2200))) throw new Failure(`--now takes milliseconds or an ISO date, not '${text}'.`);
  return ms;
}

/** The Redis that Ridge would use here. */
async function usualUrl() {
  const variables = workerVariables(process.env, devVars());
  const url = variables.REDIS_URL || (await urlOfRedisIn(join(STATE, 'redis')));
  if (url) return url;
  throw new Failure(
    variables.UPSTASH_REDIS_REST_URL
      ? 'Seeding goes over the Redis protocol. Upstash has an address for that too: --url rediss://default:<password>@<host>:6379'
      : 'Which Redis? Start one with `npm start`, or name one: --url redis://127.0.0.1:6379 (or REDIS_URL).',
  );
}

/** What is there stays as it is: without --append nothing may be there, with it none of the new users. */
async function checkRoom(redis, { append, prefix }) {
  const [taken, ours] = await redis.run([
    ['EXISTS', ...TAKEN],
    ['EXISTS', `user:${prefix}000000`],
  ]);
  if (taken > 0 && !append) {
    throw new Failure(
      `The Redis at ${redis.name} holds users or posts already. Empty it first (FLUSHDB), or add to it: --append --prefix another`,
    );
  }
  if (ours > 0) {
    throw new Failure(`The Redis at ${redis.name} has a user ${prefix}000000 already. Choose another --prefix.`);
  }
}

async function memory(redis) {
  const [info] = await redis.run([['INFO', 'memory']]);
  return /used_memory_human:(\S+)/.exec(info)?.[1];
}

function report({ users, posts }, people, totals, memory) {
  const count = (n, what) => `${n.toLocaleString('en')} ${what}`;
  const { follows, likes, bookmarks, comments, banned } = totals;
  const list = [
    count(users, 'users'),
    count(posts, `posts (${banned.toLocaleString('en')} of them banned)`),
    count(follows, 'follows'),
    count(likes, 'likes'),
    count(bookmarks, 'bookmarks'),
    count(comments, 'comments'),
  ];
  say(`${list.join(', ')}${memory ? `; Redis now uses ${memory}` : ''}`);
  say(`${people.username(0)} is the most followed, ${people.admin()} an admin: npm run token -- ${people.username(0)} user`);
}

await main(import.meta, seed);
