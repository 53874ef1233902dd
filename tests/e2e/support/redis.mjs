// A real redis-server of a test file's own, and a client to look into it.

import { once } from 'node:events';
import { connect } from 'node:net';
import { startRedis } from '../../../scripts/redis.mjs';
import { RedisError, ReplyReader, encodeCommand } from '../../../scripts/resp.mjs';
import { atEnd, temporaryFolder } from './cleanup.mjs';

/** Starts a server; `on` is a certain port. It ends with the file's tests. */
export async function ownRedis({ on } = {}) {
  const redis = await startRedis({ dir: temporaryFolder(), on });
  atEnd(redis.stop);
  return redis;
}

/** A connection to the server at a URL. `run('GET', 'a')` gives text, numbers, null and arrays, and throws an error. */
export async function redisClient(url) {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  atEnd(() => socket.destroy());
  const waiting = [];
  const reader = new ReplyReader((reply) => waiting.shift()(reply));
  socket.on('data', (chunk) => reader.push(chunk));
  const run = async (...words) => {
    const reply = await new Promise((resolve) => {
      waiting.push(resolve);
      socket.write(encodeCommand(words));
    });
    if (reply instanceof RedisError) throw new Error(reply.message);
    return readable(reply);
  };
  return { run };
}

function readable(reply) {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return Array.isArray(reply) ? reply.map(readable) : reply;
}
