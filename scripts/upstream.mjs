// An Upstash REST server for the bench and the tests, as a process of its own: node:http in front, one pipelined RESP
// connection behind. It is ours because the independent server on npm answers `hgetall` in lower case (which is how the
// official SDK sends it) with an object, takes any token on /pipeline, and needs 1.4 to 3.5 times the CPU, which in a bench
// on two cores takes from everybody's throughput. The tests run against that one as well.
//
//   POST /            [cmd, arg…]      → {"result"}            400 {"error"}
//   GET, POST         /cmd/arg/…?arg=… → the same; a body is the argument behind those in the path
//   POST /pipeline    [[cmd, arg…], …] → [{"result"}|{"error"}, …]
//
// A request with an Upstash-Sync-Token gets another one back.
//
// Started with fork(): `node upstream.mjs <redis-url> <token>`; sends {port} when ready, answers "count" with the number of
// requests so far, which is how round trips are counted.
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { ReplyReader, RedisError, encodeCommand } from './resp.mjs';

const [redisUrl, token] = process.argv.slice(2);
const authorization = `Bearer ${token}`;
const waiting = []; // one entry a request: {missing, replies, done}
let requests = 0;

const redis = connect({ host: new URL(redisUrl).hostname, port: Number(new URL(redisUrl).port), noDelay: true });
redis.on('error', () => process.exit(1));
redis.on('close', () => process.exit(1));

const reader = new ReplyReader((reply) => {
  const first = waiting[0];
  first.replies.push(reply);
  if (first.replies.length < first.missing) return;
  waiting.shift();
  first.done(first.replies);
});
redis.on('data', (chunk) => reader.push(chunk));

function run(commands) {
  return new Promise((done) => {
    waiting.push({ missing: commands.length, replies: [], done });
    redis.write(commands.length === 1 ? encodeCommand(commands[0]) : commands.map(encodeCommand).join(''));
  });
}

const server = createServer((request, response) => {
  requests += 1;
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const [status, body] = await answer(request, Buffer.concat(chunks));
    const text = JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    if ('upstash-sync-token' in request.headers) headers['upstash-sync-token'] = String(requests);
    response.writeHead(status, headers);
    response.end(text);
  });
});

async function answer(request, body) {
  if (request.headers.authorization !== authorization)
    return [401, { error: 'WRONGPASS invalid or missing auth token' }];
  const show = request.headers['upstash-encoding'] === 'base64' ? base64 : plain;
  let commands;
  try {
    commands = read(request, body);
  } catch {
    return [400, { error: 'ERR failed to parse the request' }];
  }
  if (!commands) return [400, { error: 'ERR this server knows POST /, POST /pipeline and commands in the path' }];
  const entries = (await run(commands)).map((reply) => entry(reply, show));
  if (request.url === '/pipeline') return [200, entries];
  return ['error' in entries[0] ? 400 : 200, entries[0]];
}

/** What a request asks for, or null if it is none of ours. */
function read({ method, url }, body) {
  if (method === 'POST' && url === '/pipeline') return commandsOf(JSON.parse(body.toString()));
  if (method === 'POST' && url === '/') return commandsOf([JSON.parse(body.toString())]);
  const { pathname, searchParams } = new URL(url, 'http://upstream');
  if (!['GET', 'POST'].includes(method) || pathname === '/') return null;
  const words = pathname.slice(1).split('/').map(decodeURIComponent);
  if (body.length > 0) words.push(body);
  return [[...words, ...[...searchParams].flat().filter((word) => word !== '')]];
}

function commandsOf(list) {
  const isCommand = (command) => Array.isArray(command) && command.length > 0;
  return Array.isArray(list) && list.length > 0 && list.every(isCommand) ? list : null;
}

const entry = (reply, show) => (reply instanceof RedisError ? { error: reply.message } : { result: show(reply, true) });

function plain(reply) {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return Array.isArray(reply) ? reply.map(plain) : reply instanceof RedisError ? reply.message : reply;
}

/** Every string at any depth, except a result that is itself OK. */
function base64(reply, top = false) {
  if (Buffer.isBuffer(reply))
    return top && reply.length === 2 && reply.toString() === 'OK' ? 'OK' : reply.toString('base64');
  return Array.isArray(reply) ? reply.map((item) => base64(item)) : reply instanceof RedisError ? reply.message : reply;
}

// A connection that the Worker holds idle between two slices must not be closed under it.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));

process.on('message', (message) => {
  if (message === 'count') process.send({ requests });
});
process.on('disconnect', () => process.exit(0));
