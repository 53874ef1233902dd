// The load generator and the npm server, each a process of its own.
import { startChild } from '../scripts/children.mjs';

/** `drive(job)` as load.mjs has it. */
export function startLoad() {
  const child = startChild(new URL('load.mjs', import.meta.url));
  return { drive: child.ask, stop: child.stop };
}

/** `@humanwhocodes/upstash-redis-server` in front of a Redis: `{pid, port, stop}` as a Worker has them. */
export async function startNpmServer(redisUrl, token) {
  const child = startChild(new URL('competitors/npm.mjs', import.meta.url), [redisUrl, token]);
  const { port } = await child.next();
  return { pid: child.pid, port, stop: child.stop };
}
