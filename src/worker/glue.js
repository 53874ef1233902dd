import { connect } from 'cloudflare:sockets';
import { waitUntil } from 'cloudflare:workers';

// The JavaScript half of the boundary. Crossing between wasm and JavaScript costs more than the work done on either
// side, so each function here does in one crossing what single calls would do in many.

/** Headers that may matter to any request. Each look costs, so those that only matter beside another are asked for there. */
const ALWAYS = ['x-api-key', 'x-act-as', 'x-request-id', 'origin'];
const WITH_KEY = ['cf-connecting-ip'];
const WITHOUT_KEY = ['authorization', 'x-authorization', 'x-access-token'];
const WITH_POST = ['idempotency-key'];
const WITH_WEBHOOK = ['x-webhook-timestamp', 'x-webhook-signature', 'x-webhook-id'];
const SYNC_TOKEN = 'upstash-sync-token';
const GATEWAY = ['authorization', 'cf-connecting-ip', 'upstash-encoding', 'upstash-response-format', SYNC_TOKEN];
const PREFLIGHT = ['access-control-request-headers'];

/** Whether a path is of the gateway: below `/redis`, where only `/redis/write` is a proxy's. */
const isGateway = (path) => path.startsWith('/redis') && !/^\/redis\/write(?:[?#]|$)/.test(path);

/** Method, URL and the headers that Ridge reads, a line each. None of them can hold a line break. */
export function head(request) {
  const { headers, method, url } = request;
  const path = url.slice(url.indexOf('/', 8));
  let text = `${method}\n${url}`;
  const look = (name) => {
    const value = headers.get(name);
    if (value !== null) text += `\n${name}:${value}`;
    return value !== null;
  };
  const [hasKey] = ALWAYS.map(look);
  if (method !== 'GET') look('content-length');
  if (isGateway(path)) {
    GATEWAY.forEach(look);
  } else {
    (hasKey ? WITH_KEY : WITHOUT_KEY).forEach(look);
    if (method === 'POST') (path.startsWith('/webhooks/') ? WITH_WEBHOOK : WITH_POST).forEach(look);
  }
  if (method === 'OPTIONS') PREFLIGHT.forEach(look);
  return text;
}

/** What every answer has, and the rest from name and value in turn, a line each. */
function headersOf(id, rest) {
  const headers = { 'cache-control': 'no-store', 'x-request-id': id };
  if (rest === '') return headers;
  const lines = rest.split('\n');
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [name, value] = [lines[i], lines[i + 1]];
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}

/** A response with a body that is copied out of wasm. */
export function respond(status, id, rest, body) {
  return new Response(body.length === 0 ? null : body.slice(), { status, headers: headersOf(id, rest) });
}

/** A response with the body of another, which nobody has read, and what describes it. */
export function respondHeld(status, id, rest, [response, kind, token]) {
  const headers = headersOf(id, rest);
  headers['content-type'] = kind;
  if (token !== null) headers[SYNC_TOKEN] = token;
  return new Response(response.body, { status, headers });
}

// What takes time is started with a ticket, and ends with one call of `settle(ticket, value)`: a value, or an Error.
// `pending.rs` holds the other end. A promise for each would cost two JavaScript functions made and collected.

let settle;

/** Tells where tickets are settled. Called once, before the first ticket. */
export function settleWith(callback) {
  settle = callback;
  // Those of an instance that crashed would neither be fed nor let go of any more.
  for (const { controller } of feeds) controller.close();
  feeds.clear();
}

function report(ticket, promise) {
  // Bound now: should the instance crash, its tickets must never be settled in the one that follows.
  const here = settle;
  promise
    .then((value) => here(ticket, value), (error) => here(ticket, error instanceof Error ? error : new Error()))
    .catch((error) => { if (here === settle) reportError(error); });
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

/** How much a socket receives at once. A reader that brings no room of its own gets little, with a turn of the event loop each time. */
const [LITTLE, MUCH] = [4 * 1024, 64 * 1024];

/** Opens a socket. Waits until it is open: before that, a failure would look as if something had been sent. */
export function open(hostname, port, secure, ticket) {
  report(ticket, opened(hostname, port, secure));
}

async function opened(hostname, port, secure) {
  const socket = connect({ hostname, port }, { secureTransport: secure ? 'on' : 'off' });
  // How a socket ended is told by the read or write that it ends.
  socket.closed.catch(() => {});
  await socket.opened;
  const reader = socket.readable.getReader({ mode: 'byob' });
  return { socket, reader, writer: socket.writable.getWriter(), room: null, most: MUCH };
}

export function send({ writer }, bytes, ticket) {
  report(ticket, writer.write(bytes.slice()));
}

/** The next `{value, done}` of what a socket receives. */
export function receive(connection, ticket) {
  report(ticket, received(connection));
}

async function received(connection) {
  const room = connection.room ?? new ArrayBuffer(connection.most);
  const read = await connection.reader.read(new Uint8Array(room));
  const { length = 0, buffer } = read.value ?? {};
  // Who was sent little may wait long for more, and holds little meanwhile.
  connection.most = length < LITTLE ? LITTLE : MUCH;
  // The memory comes back with what was read into it: the next read takes it again.
  connection.room = buffer?.byteLength === connection.most ? buffer : null;
  return read;
}

export function close({ socket }) {
  socket.close().catch(() => {});
}

/** Bodies that are not at their end. */
const feeds = new Set();

/** A body that is made while it is read: whoever makes it waits until more is `wanted`, and until the reader has `left`. */
export function feed() {
  const [wanted, left] = [Promise.withResolvers(), Promise.withResolvers()];
  const feed = { wanted, left };
  feed.body = new ReadableStream({
    start(controller) { feed.controller = controller; },
    pull() { feed.wanted.resolve(); },
    cancel() {
      feeds.delete(feed);
      left.resolve();
    },
  }, { highWaterMark: 0 });
  feeds.add(feed);
  return feed;
}

export function wanted({ wanted }, ticket) {
  report(ticket, wanted.promise);
}

export function left({ left }, ticket) {
  report(ticket, left.promise);
}

export function push(feed, bytes) {
  feed.wanted = Promise.withResolvers();
  feed.controller.enqueue(bytes.slice());
}

export function finish(feed) {
  feeds.delete(feed);
  feed.controller.close();
}

/** How long the runtime may take until it reads. */
const PATIENCE = 10_000;

/** A response with such a body. Of a reader who leaves before the runtime has begun to read nobody tells: it is not waited for. */
export function respondFed(status, id, rest, feed) {
  const { body, wanted, left } = feed;
  const tooLate = setTimeout(() => {
    feeds.delete(feed);
    left.resolve();
  }, PATIENCE);
  waitUntil(Promise.race([wanted.promise, left.promise]).then(() => clearTimeout(tooLate)));
  return new Response(body, { status, headers: headersOf(id, rest) });
}

/** Tells the queue's consumer that there is work. What it is stands in Redis. */
export function enqueue(queue, ticket) {
  report(ticket, queue.send('work'));
}

/** What stays the same in every request to one endpoint. */
export function endpoint(url, authorization) {
  return {
    url,
    authorization,
    pipeline: `${url}/pipeline`,
    headers: { authorization, 'content-type': 'application/json' },
  };
}

/** From this length on bytes cross faster than a string, which is copied character by character. */
const LONG = 1024;

/** Posts to an endpoint. The text of the answer, or its bytes, if it is a 200, else its status. Never follows a redirect. */
export function post(endpoint, body, limit, ticket) {
  report(ticket, exchange(endpoint, body.slice(), limit));
}

async function exchange({ pipeline, headers }, body, limit) {
  const response = await fetch(pipeline, { method: 'POST', headers, body, redirect: 'manual' });
  if (response.status !== 200) {
    response.body?.cancel().catch(() => {});
    return response.status;
  }
  return whole(response, limit);
}

/** The text of a body, or its bytes. */
function whole(response, limit) {
  // Only an announced length is known before it is there; an encoded body grows when it is decoded.
  const length = response.headers.has('content-encoding') ? NaN : Number(response.headers.get('content-length') ?? NaN);
  if (length > limit) {
    response.body?.cancel().catch(() => {});
    throw new RangeError('the answer is too long');
  }
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

/** Passes a request on, with a body that is copied out of wasm. */
export function passBytes(endpoint, head, body, hold, limit, ticket) {
  report(ticket, passed(endpoint, head, body.length === 0 ? null : body.slice(), hold, limit));
}

/** Passes a request on, with a body that is still here: bytes, or the request whose body it is. */
export function passHeld(endpoint, head, body, hold, limit, ticket) {
  report(ticket, passed(endpoint, head, body instanceof Request ? body.body : body, hold, limit));
}

/** What an answer of this API is; anything else does not come from it. */
const OURS = /^(application\/(json|octet-stream)|text\/event-stream)/;

/** The response itself if it is a 200 and may be held, else its status and its body; and what describes it. Never follows a redirect. */
async function passed({ url, authorization }, head, body, hold, limit) {
  const [method, path, ...lines] = head.split('\n');
  const headers = { authorization };
  for (const line of lines) {
    const at = line.indexOf(':');
    headers[line.slice(0, at)] = line.slice(at + 1);
  }
  const response = await fetch(url + path, { method, headers, body, redirect: 'manual' });
  const kind = response.headers.get('content-type') ?? '';
  const token = response.headers.get(SYNC_TOKEN);
  if (response.status === 200 && hold && OURS.test(kind)) return [response, kind, token];
  return [response.status, kind, token, await whole(response, limit)];
}

// wasm-bindgen polls futures from a microtask. The runtime's own `queueMicrotask` checks and wraps what it is given, at
// ten times the price of a resolved promise, which queues the same microtask.
const resolved = Promise.resolve();
globalThis.queueMicrotask = (task) => {
  resolved.then(task);
};
