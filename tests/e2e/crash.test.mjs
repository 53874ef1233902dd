// What a crash of the instance leaves behind: nothing that a later request could take for its own.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atEnd } from './support/cleanup.mjs';
import { asBackend, startRidge } from './support/ridge.mjs';

/** A REST server that answers each request when it is told to, with the key that was asked for. */
const waiting = [];
const upstream = createServer(async (request, response) => {
  const [[, key]] = JSON.parse(await text(request));
  const answer = () => response.end(JSON.stringify([{ result: `value of ${key}` }]));
  waiting.push({ key, answer });
  upstream.emit('waits');
}).listen(0, '127.0.0.1');
await once(upstream, 'listening');
atEnd(() => upstream.close());

const ridge = await startRidge(
  { UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${upstream.address().port}`, UPSTASH_REDIS_REST_TOKEN: 'token', REDIS_TIMEOUT_MS: '1000' },
  fileURLToPath(new URL('support/crash.js', import.meta.url)),
);

async function arrived(key) {
  for (;;) {
    const found = waiting.find((one) => one.key === key);
    if (found) return found;
    await once(upstream, 'waits');
  }
}

test('an instance that crashed is made anew, and the answers it waited for reach nobody else', async () => {
  // The same number of steps before and after the crash, so that tickets of the two instances have the same numbers.
  const lost = ridge.read(['GET', 'old']).catch((error) => error);
  const old = await arrived('old');
  const next = ridge.read(['GET', 'new'], { ...asBackend, 'x-crash': '1' });
  const fresh = await arrived('new');
  old.answer();
  // The old answer must have its chance to be taken for the new one.
  await new Promise((resolve) => { setTimeout(resolve, 200); });
  fresh.answer();
  assert.deepEqual((await next).body, ['value of new']);
  assert.deepEqual((await ridgeRead('after')).body, ['value of after']);
  const ending = await lost;
  assert.ok(ending instanceof Error || ending.status >= 500, 'what the crashed instance was asked is not answered');
});

async function ridgeRead(key) {
  const answer = ridge.read(['GET', key]);
  (await arrived(key)).answer();
  return answer;
}
