// HTTP as the tests need it: node's `fetch` would normalise paths, join headers and hide what is on the wire.

import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** No answer takes that long, and a test that waits for one forever would not say which. */
const ANSWER_WITHIN_MS = 30_000;

/** As many connections as there are requests at a time. */
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

/**
 * Sends one request; `headers` an object, or names and values in turn. The answer is `{status, headers, text, body}`, its
 * `body` parsed if it is JSON.
 */
export async function ask(port, { method = 'GET', path, headers = {}, body }) {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent, signal });
  sent.end(body);
  const [response] = await once(sent, 'response');
  const content = await text(response);
  const isJson = response.headers['content-type'] === 'application/json' && content !== '';
  return { status: response.statusCode, headers: response.headers, text: content, body: isJson ? JSON.parse(content) : undefined };
}

/** A connection on which a test says byte for byte what it likes. `answer()` waits for the first answer's head and body. */
export async function dial(port) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk) => { received += chunk; });
  // The other side may hang up in the middle of what we say; that is what some tests are about.
  socket.on('error', () => {});
  const closed = new Promise((resolve) => { socket.once('close', resolve); });
  const answer = async () => {
    const late = sleep(ANSWER_WITHIN_MS, undefined, { ref: false }).then(() => { throw new Error(`no answer, only: ${received}`); });
    while (!isWhole(received) && !socket.closed) {
      const more = new Promise((resolve) => { socket.once('data', resolve); });
      await Promise.race([more, closed, late]);
    }
    late.catch(() => {});
    const [head, body = ''] = received.split('\r\n\r\n');
    return { status: Number(head.split(' ')[1]), head, body };
  };
  const say = (bytes) => new Promise((resolve) => { socket.write(bytes, resolve); });
  return { socket, say, answer, closed, hangUp: () => socket.destroy() };
}

/** Has the whole body of the announced length come? */
function isWhole(received) {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(received.slice(0, end));
  return received.length >= end + 4 + Number(length?.[1] ?? 0);
}
