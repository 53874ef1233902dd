// Our own Node processes, each behind an IPC channel: each ends when that channel does, so none outlives us however we end.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Failure } from './process.mjs';

/** Starts a script as a process of its own. `ask(message)` sends one and waits for the one that comes back. */
export function startChild(url, args = []) {
  const file = fileURLToPath(url);
  const child = fork(file, args, { serialization: 'advanced' });
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

/** The Upstash REST server of `upstream.mjs` in front of a Redis: its URL, its count of requests, and a client of its own. */
export async function startUpstream(redisUrl, token) {
  const child = startChild(new URL('upstream.mjs', import.meta.url), [redisUrl, token]);
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
    if (error) throw new Failure(`our own command failed: ${error}`);
    return result;
  });
}
