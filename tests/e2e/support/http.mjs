// HTTP as the tests need it: node's `fetch` would normalise paths, join headers and hide what is on the wire.

import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** As many connections as there are requests at a time. */
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

/**
 * Sends one request; `headers` an object, or names and values in turn. The answer is `{status, headers, text, body}`, its
 * `body` parsed if it is JSON.
 */
export async function ask(port, { method = 'GET', path, headers = {}, body }) {
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent });
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
  const closed = once(socket, 'close');
  const answer = async () => {
    while (!isWhole(received) && !socket.closed) await Promise.race([once(socket, 'data'), closed]);
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
