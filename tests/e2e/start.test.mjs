// `npm start` as a stranger types it, in a copy of the checkout that has never seen it: to the line that says `Ready`, through
// the lines to paste, to Ctrl-C.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from '../../scripts/dotenv.mjs';
import { capture, eachLine, environment, runs } from '../../scripts/process.mjs';
import { freePort } from '../../scripts/redis.mjs';
import { START_VARIABLES, WORKER_VARIABLES } from '../../scripts/variables.mjs';
import { copyOfCheckout } from './support/checkout.mjs';
import { atEnd } from './support/cleanup.mjs';
import { descendants, stillRunning } from './support/processes.mjs';
import { ownRedis, redisClient } from './support/redis.mjs';

/** Some minutes, should there be something to build after all. */
const READY_WITHIN_MS = 300_000;

/** Wrangler takes its time to end. */
const GONE_WITHIN_MS = 30_000;

const checkout = copyOfCheckout();
const devVars = join(checkout, '.dev.vars');
const redis = await ownRedis();

test('a first start writes secrets, brings a Redis, and prints lines that work', async () => {
  const port = await freePort();
  assert.ok(!existsSync(devVars));
  const npm = npmStart({ PORT: port });
  const lines = await npm.ready();
  assert.ok(lines.includes(`Ready on http://localhost:${port}`));

  const { XANO_API_KEY, API_KEYS, JWT_SECRET, ENVIRONMENT } = parse(readFileSync(devVars, 'utf8'));
  const [{ key, scopes }] = JSON.parse(API_KEYS);
  assert.match(key, /^[0-9a-f]{64}$/);
  assert.deepEqual(scopes, ['gateway']);
  assert.match(XANO_API_KEY, /^[0-9a-f]{64}$/);
  assert.match(JWT_SECRET, /^[0-9a-f]{64}$/);
  assert.equal(new Set([XANO_API_KEY, key, JWT_SECRET]).size, 3);
  assert.equal(ENVIRONMENT, 'development');
  assert.equal(statSync(devVars).mode & 0o077, 0, 'others may read the secrets');

  await walkThrough(lines);
  const health = await (await fetch(`http://localhost:${port}/health`)).json();
  assert.equal(health.status, 'healthy');

  // What the terminal does on Ctrl-C: everyone in the foreground gets it.
  const started = descendants(npm.pid);
  for (const name of ['workerd', 'redis-server']) assert.ok(started.some((one) => one.name === name), `${name} was not started`);
  process.kill(-npm.pid, 'SIGINT');
  await npm.exited;
  await areGone(started);
  await assert.rejects(fetch(`http://localhost:${port}/ping`));
});

test('a start with REDIS_URL uses that Redis and the secrets that are there', async () => {
  const before = readFileSync(devVars, 'utf8');
  const port = await freePort();
  const npm = npmStart({ PORT: port, REDIS_URL: redis.url });
  const lines = await npm.ready();
  assert.ok(lines.includes(`Ready on http://localhost:${port}`));
  assert.equal(readFileSync(devVars, 'utf8'), before);

  await walkThrough(lines);
  const { run } = await redisClient(redis.url);
  assert.equal(await run('HGET', 'user:testuser', 'bio'), 'Test bio from sync');
  const started = descendants(npm.pid);
  assert.ok(!started.some(({ name }) => name === 'redis-server'), 'a Redis was started besides');

  // What a supervisor does: npm alone gets it.
  process.kill(npm.pid, 'SIGTERM');
  await npm.exited;
  await areGone(started);
  assert.equal(await run('PING'), 'PONG');
});

test('a port that is taken is said at once', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address();
  const npm = npmStart({ PORT: port });
  const { code } = await npm.exited;
  taken.close();
  assert.notEqual(code, 0);
  assert.match((await npm.lines).join('\n'), new RegExp(`Port ${port} is taken`));
});

/**
 * Runs `npm start` in the copy, with these variables and none of ours that it or npm would look at. Not by `launch`, which
 * kills when all else fails: `npm start` has to be asked, or what it has started stays behind.
 */
function npmStart(variables) {
  const child = spawn('npm', ['start'], {
    cwd: checkout,
    env: { ...strangersEnvironment(), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group of its own, as in a terminal
  });
  const exited = once(child, 'exit').then(([code]) => ({ code }));
  const end = () => child.exitCode === null && child.signalCode === null && process.kill(-child.pid, 'SIGTERM');
  process.on('exit', end);
  atEnd(async () => {
    end();
    await exited;
  });
  const lines = [];
  const silent = eachLine({ child }, (line) => lines.push(line)).then(() => lines);
  return { pid: child.pid, exited, lines: silent, ready: () => ready(exited, lines) };
}

function strangersEnvironment() {
  const known = [...START_VARIABLES, ...WORKER_VARIABLES].map(({ name }) => name);
  const isOurs = (name) => known.includes(name) || /^npm_|^NODE_TEST|^NODE_OPTIONS$|^INIT_CWD$/i.test(name);
  return Object.fromEntries(Object.entries(environment()).filter(([name]) => !isOurs(name)));
}

/** Waits until all is printed that comes with `Ready`, and gives every line so far. */
async function ready(exited, lines) {
  let ended = false;
  exited.then(() => { ended = true; });
  for (const deadline = Date.now() + READY_WITHIN_MS; !ended && Date.now() < deadline; await sleep(50)) {
    if (lines.some((line) => line.includes('Ctrl-C ends everything'))) return lines;
  }
  assert.fail(`npm start was not ready:\n${lines.join('\n')}`);
}

/** Pastes the lines into a shell, where there is a curl. */
async function walkThrough(lines) {
  const curls = lines.filter((line) => line.startsWith('curl '));
  assert.equal(curls.length, 4, lines.join('\n'));
  if (!await runs('curl')) return;
  const answers = [];
  for (const line of curls) answers.push(JSON.parse(await capture('bash', ['-c', line])));
  const [written, [stored], { user }, set] = answers;
  assert.deepEqual(set, { result: 'OK' });
  assert.deepEqual(written, { results: [4], username: 'xano_sync' });
  for (const profile of [stored, user]) {
    const { username, display_name, bio, role } = profile;
    assert.deepEqual([username, display_name, bio, role], ['testuser', 'Test User', 'Test bio from sync', 'user']);
  }
}

async function areGone(started) {
  let left = started;
  for (const deadline = Date.now() + GONE_WITHIN_MS; left.length && Date.now() < deadline; await sleep(50)) left = stillRunning(left);
  assert.deepEqual(left, [], 'still running after the end');
}
