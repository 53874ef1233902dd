// The bench's own Node processes, the load generator and the upstream: each behind an IPC channel, and each ends when that
// channel does, so that neither outlives us however we end.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Failure } from '../scripts/process.mjs';

const path = (file) => fileURLToPath(new URL(file, import.meta.url));

/** `ask(message)` sends one and waits for the one that comes back. */
function start(file, args) {
  const child = fork(path(file), args, { serialization: 'advanced' });
  const next = () =>
    new Promise((resolve, reject) => {
      const ended = () => reject(new Failure(`${file} ended unexpectedly`));
      child.once('exit', ended);
      child.once('message', (message) => {
        child.off('exit', ended);
        resolve(message);
      });
    });
  const ask = (message) => {
    const answer = next();
    child.send(message);
    return answer;
  };
  const stop = () => child.connected && child.disconnect();
  return { pid: child.pid, next, ask, stop };
}

/** The load generator; `drive(job)` as load.mjs has it. */
export function startLoad() {
  const child = start('load.mjs', []);
  return { drive: child.ask, stop: child.stop };
}

/** The Upstash REST server in front of a Redis: its URL, its count of requests, and a client for the bench's own use. */
export async function startUpstream(redisUrl, token) {
  const child = start('upstream.mjs', [redisUrl, token]);
  const { port } = await child.next();
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    pid: child.pid,
    stop: child.stop,
    requests: async () => (await child.ask('count')).requests,
    run: (commands) => pipeline(url, token, commands),
  };
}

async function pipeline(url, token, commands) {
  const response = await fetch(`${url}/pipeline`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(commands),
  });
  const replies = await response.json();
  return replies.map(({ error, result }) => {
    if (error) throw new Failure(`the bench's own command failed: ${error}`);
    return result;
  });
}
