// Requests as one types them: the arguments of curl, run by curl itself. Where there is none, node's HTTP sends the same.

import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { launch, runs } from '../../../scripts/process.mjs';

const hasCurl = await runs('curl');

/** Runs `curl …args`; gives the status and the headers of the answer, and its body as bytes and as text. */
export async function curl(...args) {
  const { stream, close } = await open(args);
  const all = await buffer(stream);
  close();
  const end = all.indexOf('\r\n\r\n');
  const [status, ...headers] = all.subarray(0, end).toString().split('\r\n');
  const body = all.subarray(end + 4);
  return {
    status: Number(status.split(' ')[1]),
    headers: Object.fromEntries(headers.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)])),
    bytes: body,
    text: body.toString(),
  };
}

/** The same for an answer without end: `line()` gives its next line that is not empty, the head's among them. */
export async function curlLines(...args) {
  const { stream, close } = await open(['-N', ...args]);
  const lines = createInterface({ input: stream, crlfDelay: Infinity })[Symbol.asyncIterator]();
  const line = async () => {
    for (;;) {
      const { done, value } = await lines.next();
      if (done) throw new Error('the answer has ended');
      if (value !== '') return value;
    }
  };
  return { line, close };
}

/** Everything that comes back, the head first. */
async function open(args) {
  if (!hasCurl) return withoutCurl(args);
  const program = launch('curl', ['--silent', '--show-error', '--include', '--max-time', '60', ...args], { stdout: 'pipe' });
  return { stream: program.child.stdout, close: program.stop };
}

async function withoutCurl(args) {
  const headers = { accept: '*/*', 'user-agent': 'curl/8' };
  let method, body, url;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at];
    if (arg === '-X') method = args[++at];
    else if (arg === '-I') method = 'HEAD';
    else if (arg === '-d' || arg === '--data-binary') body = args[++at];
    else if (arg === '-H') Object.assign(headers, Object.fromEntries([args[++at].split(/: ?/, 2)]));
    else if (arg !== '-N') url = arg;
  }
  if (body !== undefined) Object.assign(headers, { 'content-type': 'application/x-www-form-urlencoded', ...headers });
  const sent = request(url, { method: method ?? (body === undefined ? 'GET' : 'POST'), headers });
  sent.end(body);
  const [answer] = await once(sent, 'response');
  const head = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
  const stream = answer.compose(async function* (body) {
    yield Buffer.from(`${[`HTTP/1.1 ${answer.statusCode}`, ...head].join('\r\n')}\r\n\r\n`);
    yield* body;
  });
  return { stream, close: () => sent.destroy() };
}
