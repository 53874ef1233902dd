// The built Worker in a workerd of its own, and the credentials that it knows.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { signToken } from '../../../scripts/token.mjs';
import { RIDGE, startWorker } from '../../../scripts/workerd.mjs';
import { atEnd } from './cleanup.mjs';
import { ask } from './http.mjs';

export const API_KEY = randomBytes(32).toString('hex');
export const JWT_SECRET = randomBytes(32).toString('hex');

/** The header of a backend. */
export const asBackend = { 'X-API-Key': API_KEY };

/** The header of a frontend's user. */
export const asUser = (username, role = 'user') => bearer(signToken({ username, role, secret: JWT_SECRET }));
export const bearer = (token) => ({ Authorization: `Bearer ${token}` });

/** How long a line of the log may be on its way. */
const LOG_WITHIN_MS = 5_000;

/**
 * Starts the Worker with these variables beside the credentials; it ends with the file's tests. `wrapper` is a module that
 * stands in front of it and imports it from `./index.js`.
 */
export async function startRidge(vars, wrapper) {
  const log = [];
  const modules = wrapper ? [{ name: 'wrapper.js', file: wrapper, kind: 'esModule' }, ...RIDGE] : RIDGE;
  const worker = await startWorker({
    modules,
    vars: { XANO_API_KEY: API_KEY, JWT_SECRET, ...vars },
    onLine: (line) => log.push(line),
  });
  atEnd(worker.stop);
  const post = (path, commands, headers = asBackend) =>
    ask(worker.port, { method: 'POST', path, headers, body: JSON.stringify(commands) });
  return {
    port: worker.port,
    /** Every line that the Worker has logged. */
    log,
    ask: (request) => ask(worker.port, request),
    get: (path, headers) => ask(worker.port, { path, headers }),
    read: (commands, headers) => post('/', commands, headers),
    write: (commands, headers) => post('/redis/write', commands, headers),
    /** The line of the request with this id. */
    lineOf: (id) => lineOf(log, id),
  };
}

async function lineOf(log, id) {
  for (const deadline = Date.now() + LOG_WITHIN_MS; Date.now() < deadline; await sleep(20)) {
    const line = log.find((line) => line.includes(`"${id}"`));
    if (line) return line;
  }
  throw new Error(`no line of the log has the id ${id}:\n${log.join('\n')}`);
}
