// The JavaScript half of the boundary. Crossing between wasm and JavaScript costs more than the work done on either
// side, so each function here does in one crossing what single calls would do in many.

/** The headers that Ridge reads; the others stay here. */
const READ = [
  'x-api-key', 'authorization', 'x-authorization', 'x-access-token', 'x-act-as', 'x-request-id', 'cf-connecting-ip',
  'content-length', 'origin', 'access-control-request-headers', 'idempotency-key',
];

/** Method, URL and headers, a line each. None of them can hold a line break. */
export function head(request) {
  const { headers } = request;
  let text = `${request.method}\n${request.url}`;
  for (const name of READ) {
    const value = headers.get(name);
    if (value !== null) text += `\n${name}:${value}`;
  }
  return text;
}

/** A response from status, headers (name and value in turn, a line each) and a body that is copied out of wasm. */
export function respond(status, head, body) {
  const lines = head.split('\n');
  const headers = [];
  for (let i = 0; i + 1 < lines.length; i += 2) headers.push([lines[i], lines[i + 1]]);
  return new Response(body.length === 0 ? null : body.slice(), { status, headers });
}

/** What stays the same in every request to one endpoint. */
export function endpoint(url, authorization) {
  return { url, headers: { authorization, 'content-type': 'application/json' } };
}

/** Posts to an endpoint. The bytes of the answer if it is a 200, else its status. Never follows a redirect. */
export async function post({ url, headers }, body, limit) {
  const response = await fetch(url, { method: 'POST', headers, body: body.slice(), redirect: 'manual' });
  if (response.status !== 200) {
    response.body?.cancel().catch(() => {});
    return response.status;
  }
  // Only an announced length is known before it is there; an encoded body grows when it is decoded.
  const length = response.headers.has('content-encoding') ? NaN : Number(response.headers.get('content-length') ?? NaN);
  if (length > limit) throw new RangeError('the answer is too long');
  return length <= limit ? new Uint8Array(await response.arrayBuffer()) : await bounded(response.body, limit);
}

async function bounded(stream, limit) {
  const chunks = [];
  let length = 0;
  for await (const chunk of stream ?? []) {
    length += chunk.length;
    if (length > limit) throw new RangeError('the answer is too long');
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
