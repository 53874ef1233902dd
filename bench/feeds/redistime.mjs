// How long Redis works for one request, by its own count: what it says of each command (`INFO commandstats`), times how often a
// request calls it.
import { connectRedis } from '../../scripts/connection.mjs';
import { ask } from '../verify.mjs';

const MARK = 'ridge-bench-mark';

/** `1763550000.123456 [0 127.0.0.1:1234] "HGETALL" "user:alice"`; a script's own calls come from `lua`. */
const LINE = /^[\d.]+ \[\d+ (\S+)\] "([^"]*)"(?: "([^"]*)")?/;

/**
 * Which commands a request sends, as `{[command]: times}`, the mean over these requests. What a script calls is left out: its
 * time is part of the script's.
 */
export async function commandsOf({ redis: { url } }, port, requests) {
  const [monitor, other] = [await connectRedis(url), await connectRedis(url)];
  try {
    const sent = new Map();
    let marked;
    const all = new Promise((resolve) => (marked = resolve));
    await monitor.monitor((line) => {
      const [, source, name, argument] = LINE.exec(line) ?? [];
      if (name === 'ECHO' && argument === MARK) marked();
      else if (source && source !== 'lua') sent.set(name.toLowerCase(), (sent.get(name.toLowerCase()) ?? 0) + 1);
    });
    for (const request of requests) await ask(port, request);
    await other.run([['ECHO', MARK]]);
    await all;
    return Object.fromEntries([...sent].map(([name, times]) => [name, times / requests.length]));
  } finally {
    monitor.close();
    other.close();
  }
}

/** Microseconds in Redis for one request, while one connection goes through all tours for some time. */
export async function redisMicros(stage, { port, tours, commands, load, seconds }) {
  const redis = await connectRedis(stage.redis.url);
  try {
    await redis.run([['CONFIG', 'RESETSTAT']]);
    const result = await load.drive({ port, tours: [tours.flat()], connections: 1, seconds });
    const [info] = await redis.run([['INFO', 'commandstats']]);
    const micros = Object.entries(commands).reduce((sum, [name, times]) => sum + times * perCall(info, name), 0);
    return { micros, count: result.count, errors: result.errors, firstError: result.firstError };
  } finally {
    redis.close();
  }
}

function perCall(info, name) {
  const [, calls, micros] = new RegExp(`^cmdstat_${name}:calls=(\\d+),usec=(\\d+)`, 'm').exec(info) ?? [];
  return calls > 0 ? micros / calls : 0;
}
