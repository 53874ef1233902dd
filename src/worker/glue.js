import { connect } from 'cloudflare:sockets';

// The JavaScript half of the boundary. Crossing between wasm and JavaScript costs more than the work done on either
// side, so each function here does in one crossing what single calls would do in many.

/** Headers that may matter to any request. Each look costs, so those that only matter beside another are asked for there. */
const ALWAYS = ['x-api-key', 'x-act-as', 'x-request-id', 'content-length', 'origin'];
const WITH_KEY = ['cf-connecting-ip'];
const WITHOUT_KEY = ['authorization', 'x-authorization', 'x-access-token'];
const WITH_POST = ['idempotency-key'];
const WITH_WEBHOOK = ['x-webhook-timestamp', 'x-webhook-signature', 'x-webhook-id'];
const PREFLIGHT = ['access-control-request-headers'];

/** Method, URL and the headers that Ridge reads, a line each. None of them can hold a line break. */
export function head(request) {
  const { headers, method } = request;
  let text = `${method}\n${request.url}`;
  const look = (name) => {
    const value = headers.get(name);
    if (value !== null) text += `\n${name}:${value}`;
    return value !== null;
  };
  const [hasKey] = ALWAYS.map(look);
  (hasKey ? WITH_KEY : WITHOUT_KEY).forEach(look);
  if (method === 'POST') (request.url.includes('/webhooks/') ? WITH_WEBHOOK : WITH_POST).forEach(look);
  if (method === 'OPTIONS') PREFLIGHT.forEach(look);
  return text;
}

/** A response from status, headers (name and value in turn, a line each) and a body that is copied out of wasm. */
export function respond(status, head, body) {
  const lines = head.split('\n');
  const headers = {};
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [name, value] = [lines[i], lines[i + 1]];
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return new Response(body.length === 0 ? null : body.slice(), { status, headers });
}

// What takes time is started with a ticket, and ends with one call of `settle(ticket, value)`: a value, or an Error.
// `pending.rs` holds the other end. A promise for each would cost two JavaScript functions made and collected.

let settle;

/** Tells where tickets are settled. Called once, before the first ticket. */
export function settleWith(callback) {
  settle = callback;
}

function report(ticket, promise) {
  // Bound now: should the instance crash, its tickets must never be settled in the one that follows.
  const here = settle;
  promise
    .then((value) => here(ticket, value), (error) => here(ticket, error instanceof Error ? error : new Error()))
    .catch(() => {});
}

/** The whole body of a request. */
export function body(request, ticket) {
  report(ticket, request.bytes());
}

/** The next `{value, done}` of a stream. */
export function read(reader, ticket) {
  report(ticket, reader.read());
}

/** Settles after a while. A timer that nobody waits for ends with its request; to cancel it would cost as much as to set it. */
export function sleep(milliseconds, ticket) {
  setTimeout(settle, milliseconds, ticket);
}

/** Opens a socket. Waits until it is open: before that, a failure would look as if something had been sent. */
export function open(hostname, port, secure, ticket) {
  report(ticket, opened(hostname, port, secure));
}

async function opened(hostname, port, secure) {
  const socket = connect({ hostname, port }, { secureTransport: secure ? 'on' : 'off' });
  // How a socket ended is told by the read or write that it ends.
  socket.closed.catch(() => {});
  await socket.opened;
  return { socket, reader: socket.readable.getReader(), writer: socket.writable.getWriter() };
}

export function send({ writer }, bytes, ticket) {
  report(ticket, writer.write(bytes.slice()));
}

/** The next `{value, done}` of what a socket receives. */
export function receive({ reader }, ticket) {
  report(ticket, reader.read());
}

export function close({ socket }) {
  socket.close().catch(() => {});
}

/** Tells the queue's consumer that there is work. What it is stands in Redis. */
export function enqueue(queue, ticket) {
  report(ticket, queue.send('work'));
}

/** What stays the same in every request to one endpoint. */
export function endpoint(url, authorization) {
  return { url, headers: { authorization, 'content-type': 'application/json' } };
}

/** From this length on bytes cross faster than a string, which is copied character by character. */
const LONG = 1024;

/** Posts to an endpoint. The text of the answer, or its bytes, if it is a 200, else its status. Never follows a redirect. */
export function post(endpoint, body, limit, ticket) {
  report(ticket, exchange(endpoint, body.slice(), limit));
}

async function exchange({ url, headers }, body, limit) {
  const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual' });
  if (response.status !== 200) {
    response.body?.cancel().catch(() => {});
    return response.status;
  }
  // Only an announced length is known before it is there; an encoded body grows when it is decoded.
  const length = response.headers.has('content-encoding') ? NaN : Number(response.headers.get('content-length') ?? NaN);
  if (length > limit) throw new RangeError('the answer is too long');
  if (length <= LONG) return response.text();
  return length <= limit ? response.bytes() : bounded(response.body, limit);
}

async function bounded(stream, limit) {
  const decoder = new TextDecoder();
  let [text, length] = ['', 0];
  for await (const chunk of stream ?? []) {
    length += chunk.length;
    if (length > limit) throw new RangeError('the answer is too long');
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

// wasm-bindgen polls futures from a microtask. The runtime's own `queueMicrotask` checks and wraps what it is given, at
// ten times the price of a resolved promise, which queues the same microtask.
const resolved = Promise.resolve();
globalThis.queueMicrotask = (task) => {
  resolved.then(task).catch(reportError);
};
