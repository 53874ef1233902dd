// A real redis-server of our own: for `npm start`, for the tests and for the benchmark.

import { once } from 'node:events';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, launch } from './process.mjs';

const HOST = '127.0.0.1';

/** A free port may be taken by someone else before Redis has it. Then we try another. */
const ATTEMPTS = 5;

/** Loading a large data set takes its time; not answering at all for this long is a failure. */
const READY_WITHIN_MS = 60_000;

/**
 * Starts a redis-server on a free port of the loopback interface, with its files in `dir`.
 *
 * With `keep`, each write is on disk within a second and is there again next time; without, nothing is written.
 * `args` are further options of redis-server (`['--requirepass', 'x']`), `on` is a certain port instead of any free one. The
 * answer is a program of `process.mjs`, with its `url`, `host` and `port`; `stop()` ends exactly this server.
 */
export async function startRedis({ dir, keep = false, args = [], on }) {
  mkdirSync(dir, { recursive: true });
  for (let attempt = 1; ; attempt++) {
    const port = on ?? await freePort();
    const server = launch('redis-server', [...options(port, dir, keep), ...args], { stdout: 'pipe', stderr: 'pipe' });
    const log = collect(server.child);
    if (await ready(server, port)) {
      if (keep) writeFileSync(portFile(dir), String(port));
      return Object.assign(server, { url: `redis://${HOST}:${port}`, host: HOST, port });
    }
    await server.stop();
    const { error } = await server.exited;
    if (error) throw new Failure(`redis-server cannot be started (${error.message}). \`npm run setup\` installs it.`);
    if (!/address already in use/i.test(log()) || on !== undefined || attempt === ATTEMPTS) {
      throw new Failure(`redis-server did not start in ${dir}:\n${log()}`);
    }
  }
}

/** Is a server that keeps its data in `dir` running? Two on the same files would ruin them. */
export async function redisRunsIn(dir) {
  return await urlOfRedisIn(dir) !== null;
}

/** The URL of the server that keeps its data in `dir`; null if none is running. */
export async function urlOfRedisIn(dir) {
  try {
    const port = Number(readFileSync(portFile(dir), 'utf8'));
    const answer = await ask(port, 'CONFIG GET dir');
    return answer.includes(`${realpathSync(dir)}\r\n`) ? `redis://${HOST}:${port}` : null;
  } catch {
    return null;
  }
}

/** A port that nobody listens on at this moment. */
export async function freePort(host = HOST) {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function options(port, dir, keep) {
  return [
    '--bind', HOST,
    '--port', String(port),
    '--dir', dir,
    '--daemonize', 'no',
    '--save', '',
    '--appendonly', keep ? 'yes' : 'no',
    '--loglevel', 'warning',
  ];
}

/** True when the server answers, false when it has ended or never does. */
async function ready(server, port) {
  let ended = false;
  server.exited.then(() => { ended = true; });
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!ended && Date.now() < deadline) {
    // Any answer but "loading" will do: -NOAUTH and -NOPERM come from a server that is ready, too.
    const answer = await ask(port, 'PING');
    if (answer && !answer.startsWith('-LOADING')) return !ended;
    await sleep(20);
  }
  return false;
}

/** What the server at `port` answers to a command without spaces in its arguments; nothing if there is no server. */
function ask(port, command) {
  return new Promise((resolve) => {
    const socket = connect(port, HOST, () => socket.write(`${command}\r\n`));
    const end = (answer = '') => { socket.destroy(); resolve(answer); };
    socket.setTimeout(1_000, () => end());
    socket.once('data', (data) => end(data.toString()));
    socket.once('error', () => end());
    socket.once('close', () => end());
  });
}

/** Where a server that keeps its data says on which port it is. */
function portFile(dir) {
  return join(dir, 'port');
}

/** Keeps the end of what the server says, so that a failure can be explained. */
function collect(child) {
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk) => { log = (log + chunk).slice(-4_000); });
  }
  return () => log.trim();
}
