// A stream of events on the wire, and the ways in which a reader may leave it.

import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Nothing takes that long, and a test that waits for ever would not say for what. */
const WITHIN_MS = 60_000;

/**
 * Opens a path below a gateway's `url`. The answer is `{status, headers}` and what has come: `text`, and whether it has `ended`.
 * `hangUp()` resets the connection, which the other side hears; `leave()` closes it, which nobody hears who only sends. `pause()` and
 * `resume()` stop reading and go on.
 */
export async function listen({ url, token }, path, { method = 'GET', headers, body } = {}) {
  const sent = request(`${url}/${path}`, { method, headers: { Authorization: `Bearer ${token}`, ...headers }, agent: false });
  // The connection may end in whatever way: that is what tests look at.
  sent.on('error', () => {});
  sent.end(body);
  const [response] = await once(sent, 'response');
  const stream = {
    status: response.statusCode,
    headers: response.headers,
    text: '',
    ended: false,
    hangUp: () => sent.socket.resetAndDestroy(),
    leave: () => sent.destroy(),
    pause: () => response.pause(),
    resume: () => response.resume(),
    /** Waits until the text has a part in it. */
    until: (part) => until(() => stream.text.includes(part), () => `no ${part} in ${stream.text.slice(-500)}`),
    /** Waits for the end. */
    end: () => until(() => stream.ended, () => `no end after ${stream.text.slice(-500)}`),
  };
  response.setEncoding('utf8').on('data', (chunk) => { stream.text += chunk; });
  response.on('error', () => {}).once('close', () => { stream.ended = true; });
  return stream;
}

/** Waits until `holds` does. */
export async function until(holds, otherwise = () => 'it never came to be') {
  for (const deadline = Date.now() + WITHIN_MS; !await holds(); await sleep(10)) {
    if (Date.now() > deadline) throw new Error(otherwise());
  }
}
