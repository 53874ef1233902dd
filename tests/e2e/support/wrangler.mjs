// The Worker as `wrangler dev` runs it: with the queue and the timer of wrangler.toml, which workerd alone does not have.

import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../scripts/redis.mjs';
import { startWrangler } from '../../../scripts/wrangler.mjs';
import { atEnd } from './cleanup.mjs';
import { ask } from './http.mjs';

/** Some minutes, should there be something to build after all. */
const READY_WITHIN_MS = 300_000;

/** Starts it with these variables; it ends with the file's tests. */
export async function startDev(variables) {
  const port = await freePort();
  const log = [];
  const wrangler = startWrangler({ port, variables, onLine: (line) => log.push(line) });
  atEnd(wrangler.stop);
  let ended = false;
  wrangler.exited.then(() => { ended = true; });
  for (const deadline = Date.now() + READY_WITHIN_MS; ; await sleep(100)) {
    const answer = await ask(port, { path: '/ping' }).catch(() => undefined);
    if (answer?.text.trim() === 'pong') break;
    if (ended || Date.now() > deadline) throw new Error(`wrangler does not start:\n${log.join('\n')}`);
  }
  return {
    port,
    log,
    ask: (request) => ask(port, request),
    /** What the timer would do now. */
    tick: () => ask(port, { path: '/cdn-cgi/handler/scheduled' }),
  };
}
