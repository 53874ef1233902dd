// What is asked: a request below /redis, what its answer must be, and what it must have `written`. `base64` says that the
// answer is asked for in base64; `takes` says what a competitor must know that not everybody does.
import { secrets } from '../secrets.mjs';
import { key, LONG_KEY, longValue, ownKey, value } from './data.mjs';

const authorization = { authorization: `Bearer ${secrets.gatewayKey}` };
const json = { ...authorization, 'content-type': 'application/json' };

/** What the official SDK sends with each request. */
const sdk = {
  ...json,
  'upstash-encoding': 'base64',
  'upstash-telemetry-runtime': 'node@v22.23.3',
  'upstash-telemetry-platform': 'unknown',
  'upstash-telemetry-sdk': '@upstash/redis@1.39.0',
  'upstash-sync-token': '1',
};

export const CASES = [
  inPath('get-path', 'GET /redis/get/…', { method: 'GET', path: `/get/${key(0)}`, result: value(0) }),
  inBody('get-body', ['GET', key(0)], { result: value(0) }),
  inBody('get-sdk', ['GET', key(0)], { result: value(0), base64: true }),
  pipeline('pipeline-10', 10),
  pipeline('pipeline-10-sdk', 10, true),
  pipeline('pipeline-1000', 1000),
  pipeline('pipeline-1000-sdk', 1000, true),
  inBody('get-1mb', ['GET', LONG_KEY], { what: '1 MB', result: longValue }),
  inBody('get-1mb-sdk', ['GET', LONG_KEY], { what: '1 MB', result: longValue, base64: true }),
  inPath('set-1mb-path', 'POST /redis/set/…, 1 MB as the body', {
    method: 'POST',
    path: `/set/${ownKey(0)}`,
    body: longValue,
    result: 'OK',
    written: { [ownKey(0)]: longValue },
  }),
  inBody('set-1mb', ['SET', ownKey(0), longValue], {
    what: '1 MB',
    result: 'OK',
    written: { [ownKey(0)]: longValue },
  }),
];

function inPath(name, what, { result, ...rest }) {
  return { name, what, takes: ['path'], headers: authorization, answer: { result }, ...rest };
}

function inBody(name, command, { what, result, base64 = false, written }) {
  const as = `POST /redis with ${command[0]}`;
  return posted(name, [as, what], '', command, { answer: answered(result, base64), base64, written });
}

/** GET and SET by turns, each of another key. */
function pipeline(name, count, base64 = false) {
  const places = Array.from({ length: count }, (_, n) => n);
  const reads = (n) => n % 2 === 0;
  const commands = places.map((n) => (reads(n) ? ['GET', key(n)] : ['SET', ownKey(n), value(n)]));
  return posted(name, [`POST /redis/pipeline with ${count} GET and SET by turns`], '/pipeline', commands, {
    answer: places.map((n) => answered(reads(n) ? value(n) : 'OK', base64)),
    base64,
    written: Object.fromEntries(places.filter((n) => !reads(n)).map((n) => [ownKey(n), value(n)])),
  });
}

function posted(name, what, path, body, { answer, base64, written = {} }) {
  return {
    name,
    what: [...what, base64 ? 'as the SDK sends it' : ''].filter(Boolean).join(', '),
    takes: base64 ? ['base64'] : [],
    method: 'POST',
    path,
    headers: base64 ? sdk : json,
    body: JSON.stringify(body),
    answer,
    written,
  };
}

/** One result, in base64 if it was asked for; OK never is. */
function answered(result, base64) {
  return { result: base64 && result !== 'OK' ? Buffer.from(result).toString('base64') : result };
}
