// One connection to a Redis over RESP, for our own scripts: commands go out in batches, replies come back in order.

import { once } from 'node:events';
import { connect as plain } from 'node:net';
import { connect as tls } from 'node:tls';
import { Failure } from './process.mjs';
import { RedisError, ReplyReader, encodeCommand } from './resp.mjs';

const DEFAULT_PORT = 6379;

/** Connects to `redis://` or `rediss://`, with user, password and db. A failure names the server, never the password. */
export async function connectRedis(url) {
  const address = parse(url);
  const socket = open(address);
  try {
    await once(socket, address.secure ? 'secureConnect' : 'connect');
  } catch (error) {
    throw new Failure(`The Redis at ${address.name} cannot be reached (${error.code ?? error.message}).`);
  }
  const redis = new Connection(socket, address.name);
  const { user, password, db } = address;
  const greeting = [];
  if (password) greeting.push(user ? ['AUTH', user, password] : ['AUTH', password]);
  if (db) greeting.push(['SELECT', db]);
  if (greeting.length) await redis.run(greeting);
  return redis;
}

class Connection {
  #socket;
  #waiting = []; // one entry a batch: {missing, replies, error, resolve, reject}
  #ended = null;
  #onLine = null;

  constructor(socket, name) {
    this.name = name;
    this.#socket = socket;
    const reader = new ReplyReader((reply) => this.#receive(reply));
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('error', (error) => this.#end(error.message));
    socket.on('close', () => this.#end('it closed the connection'));
  }

  /** Runs commands and gives their replies; fails with the first that is an error. Strings are Buffers. */
  run(commands) {
    return this.send(commands.map(encodeCommand).join(''), commands.length);
  }

  /** The same for `count` commands that are encoded already. */
  send(encoded, count) {
    return new Promise((resolve, reject) => {
      if (this.#ended) return void reject(this.#ended);
      this.#waiting.push({ missing: count, replies: [], error: null, resolve, reject });
      this.#socket.write(encoded);
    });
  }

  /** From now on every line that MONITOR says goes to `onLine`; nothing else can be run any more. */
  async monitor(onLine) {
    this.#onLine = onLine;
    await this.run([['MONITOR']]);
  }

  close() {
    this.#ended ??= new Failure('The connection is closed.');
    this.#socket.destroy();
  }

  #receive(reply) {
    const batch = this.#waiting[0];
    if (!batch) return void this.#onLine?.(reply.toString());
    if (reply instanceof RedisError) batch.error ??= reply.message;
    batch.replies.push(reply);
    if (batch.replies.length < batch.missing) return;
    this.#waiting.shift();
    if (batch.error === null) batch.resolve(batch.replies);
    else batch.reject(new Failure(`The Redis at ${this.name} refuses: ${batch.error}`));
  }

  #end(reason) {
    this.#ended ??= new Failure(`The Redis at ${this.name} is gone: ${reason}`);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}

function open({ host, port, secure }) {
  return secure ? tls({ host, port, servername: host }) : plain({ host, port, noDelay: true });
}

function parse(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new Failure('The address of the Redis is no URL. It looks like redis://user:password@host:6379/0.');
  }
  if (!['redis:', 'rediss:'].includes(url.protocol)) throw new Failure(`The address of the Redis begins '${url.protocol}', not redis: or rediss:.`);
  const db = url.pathname.slice(1);
  if (!/^\d*$/.test(db)) throw new Failure(`The address of the Redis ends in '/${db}', which is no number of a database.`);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1';
  const port = Number(url.port || DEFAULT_PORT);
  const [user, password] = [url.username, url.password].map(decodeURIComponent);
  return { host, port, user, password, db: Number(db), secure: url.protocol === 'rediss:', name: `${host}:${port}` };
}
