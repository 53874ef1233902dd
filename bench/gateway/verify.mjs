// Before a case is measured and after it, every competitor answers it, and right: so nobody is fast by being wrong. The length
// of the answer is what the load generator then expects.
import assert from 'node:assert/strict';
import { Failure } from '../../scripts/process.mjs';
import { rawRequest } from '../cases.mjs';
import { ask } from '../verify.mjs';

/**
 * Verifies one case. Returns for each competitor that takes it the `tours` for the load, and its `roundTrips`: the requests that
 * reached the upstream, or null for those that have none.
 */
export async function verify(testCase, { competitors, workers, upstream }) {
  const verified = {};
  for (const { name, root, lacks } of competitors) {
    if (testCase.takes.some((feature) => lacks.includes(feature))) continue;
    const step = { ...testCase, path: root + testCase.path || '/' };
    try {
      await forget(testCase, upstream);
      const before = await upstream.requests();
      const { status, text } = await ask(workers[name].port, step);
      const roundTrips = (await upstream.requests()) - before;
      assert.equal(status, 200, `${status} ${text.slice(0, 200)}`);
      assert.deepEqual(JSON.parse(text), testCase.answer);
      await remembered(testCase, upstream);
      const length = Buffer.byteLength(text);
      verified[name] = { tours: [[{ request: rawRequest(step), status, length }]], roundTrips: roundTrips || null };
    } catch (error) {
      throw new Failure(`${name} does not answer '${testCase.name}' as it must: ${error.message.slice(0, 2000)}`);
    }
  }
  return verified;
}

async function forget({ written = {} }, upstream) {
  const keys = Object.keys(written);
  if (keys.length > 0) await upstream.run([['DEL', ...keys]]);
}

async function remembered({ written = {} }, upstream) {
  const keys = Object.keys(written);
  if (keys.length === 0) return;
  const [stored] = await upstream.run([['MGET', ...keys]]);
  assert.deepEqual(stored, Object.values(written), 'the values are not in Redis afterwards');
}
