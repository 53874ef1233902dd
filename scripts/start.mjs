// Runs Ridge on this machine, with a Redis, and keeps running it: the one command of a fresh clone.
//
//   npm start
//   PORT=9000 REDIS_URL=redis://127.0.0.1:6379 npm start

import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from './build.mjs';
import { devVars, ensureDevVars } from './devvars.mjs';
import { DEV_VARS, ROOT, STATE } from './paths.mjs';
import { Failure, main } from './process.mjs';
import { note, say, step } from './progress.mjs';
import { redisRunsIn, startRedis } from './redis.mjs';
import { setup } from './setup.mjs';
import { namesRedis, workerVariables } from './variables.mjs';
import { walkthrough } from './walkthrough.mjs';
import { startWrangler } from './wrangler.mjs';

async function start() {
  const port = portOf(process.env.PORT || '8787');
  await checkFree(port);

  if (ensureDevVars()) note(`✓ wrote ${fromRoot(DEV_VARS)}, with fresh secrets`);
  const variables = workerVariables(process.env, devVars());
  const ownRedis = !namesRedis(variables);

  await setup({ redis: ownRedis });
  await build();
  if (ownRedis) variables.REDIS_URL = await ownRedisUrl(port);
  else note(`✓ using the Redis that ${variables.REDIS_URL ? 'REDIS_URL' : 'UPSTASH_REDIS_REST_URL'} names`);

  let ready = false;
  // The Worker logs every request; those that we send ourselves, to see whether it is there, are of no interest.
  const onLine = (line) => (ready || !line.includes('/ping')) && say(line);
  const wrangler = startWrangler({ port, variables, onLine });
  await step('starting the Worker', () => answers(port, wrangler));
  ready = true;
  announce(`http://localhost:${port}`, variables);

  const { code, signal } = await wrangler.exited;
  throw new Failure(`wrangler has ended by itself (${signal ?? `exit code ${code}`}).`);
}

function portOf(text) {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new Failure(`PORT is '${text}'; it must be a number from 1 to 65535.`);
  return port;
}

/** Says at once what wrangler would say only after the build, or not at all: it would take another port. */
function checkFree(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', ({ code }) => reject(new Failure(
      code === 'EADDRINUSE'
        ? `Port ${port} is taken by another program. Stop that one, or choose another: PORT=${port + 1} npm start`
        : `Port ${port} cannot be used (${code}). Choose another: PORT=8787 npm start`,
    )));
    server.listen(port, '127.0.0.1', () => server.close(resolve));
  });
}

/** Starts our own Redis, its data where it was last time. */
async function ownRedisUrl(port) {
  const usual = join(STATE, 'redis');
  // Another `npm start`, on another port, has its Redis there already. This one gets data of its own.
  const dir = await redisRunsIn(usual) ? join(STATE, `redis-${port}`) : usual;
  const redis = await startRedis({ dir, keep: true });
  note(`✓ redis-server at ${redis.url}, its data in ${fromRoot(dir)}`);
  redis.exited.then(({ code, signal }) => {
    if (!redis.stopping) note(`✗ redis-server has ended (${signal ?? `exit code ${code}`}): the Worker answers 503 until one is back on port ${redis.port}`);
  });
  return redis.url;
}

/** Waits until the Worker itself answers, which is a little later than wrangler says so. */
async function answers(port, wrangler) {
  let ended;
  wrangler.exited.then((how) => { ended = how; });
  while (!ended) {
    const answer = await fetch(`http://127.0.0.1:${port}/ping`).then((response) => response.text(), () => '');
    if (answer.trim() === 'pong') return;
    await sleep(100);
  }
  await Promise.race([wrangler.silent, sleep(1_000)]); // it may be in the middle of saying why
  throw new Failure(`wrangler did not start (${ended.signal ?? `exit code ${ended.code}`}).`);
}

function announce(origin, variables) {
  say(`Ready on ${origin}\n`);
  say(`${walkthrough(origin, variables).join('\n\n')}\n`);
  say('An edit in src/ is built and served at once, one in .dev.vars at the next start. Ctrl-C ends everything.');
}

function fromRoot(path) {
  return relative(ROOT, path);
}

await main(import.meta, start);
