// Before anything is measured, every competitor answers every case twice, and right: so nobody is fast by being wrong. The
// second answer's length is what the load generator then expects of each one.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { Failure } from '../scripts/process.mjs';
import { isRidge } from './competitors.mjs';
import { startWorker } from '../scripts/workerd.mjs';

/** One answer to a case: `{status, headers, text}`. */
export function ask(port, { method, path, headers, body }) {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/**
 * Verifies all competitors on these cases. Returns, by case, what to `expect` of each competitor under load and its
 * `roundTrips`: as the upstream counted them, or over TCP, where there is no upstream, as Ridge says itself in development.
 */
export async function verifyAll({ competitors, workers, upstream }, cases, onCase) {
  const verified = Object.fromEntries(cases.map(({ name }) => [name, { expect: {}, roundTrips: {} }]));
  for (const competitor of competitors) {
    const inDevelopment = isRidge(competitor) ? await developing(competitor) : null;
    try {
      for (const testCase of cases) {
        onCase(`${competitor.name}, ${testCase.name}`);
        const told = inDevelopment && (await verify(competitor, inDevelopment.port, testCase, upstream));
        const { expect, counted } = await verify(competitor, workers[competitor.name].port, testCase, upstream);
        verified[testCase.name].expect[competitor.name] = expect;
        verified[testCase.name].roundTrips[competitor.name] = roundTrips(competitor, testCase, told, counted);
      }
    } finally {
      await inDevelopment?.stop();
    }
  }
  return verified;
}

function roundTrips(competitor, testCase, told, counted) {
  if (competitor.vars.REDIS_URL) return told.said;
  if (told === null) return counted;
  if (told.said !== null && told.said !== told.counted) {
    throw new Failure(
      `${competitor.name} says ${told.said} round trips for '${testCase.name}', the upstream saw ${told.counted}`,
    );
  }
  return Math.max(counted, told.counted);
}

/** The same Worker with ENVIRONMENT=development, where it says how many round trips it made. */
const developing = (competitor) =>
  startWorker({ ...competitor, vars: { ...competitor.vars, ENVIRONMENT: 'development' } });

/**
 * Verifies one competitor on one case. Returns what to expect under load, and the round trips of the dearer of the two
 * requests: as the upstream counted them, and as the Worker says (null if it does not).
 */
async function verify(competitor, port, testCase, upstream) {
  try {
    await forget(testCase, upstream);
    const first = await judged(competitor, port, testCase, upstream);
    await remembered(testCase, upstream);
    const second = await judged(competitor, port, testCase, upstream);
    return {
      expect: { status: 200, length: Buffer.byteLength(second.text) },
      counted: Math.max(first.counted, second.counted),
      said: first.said === null ? null : Math.max(first.said, second.said),
    };
  } catch (error) {
    throw new Failure(`${competitor.name} does not answer '${testCase.name}' as it must: ${error.message}`);
  }
}

async function judged(competitor, port, testCase, upstream) {
  const before = await upstream.requests();
  const { status, headers, text } = await ask(port, testCase);
  const counted = (await upstream.requests()) - before;
  assert.equal(status, 200, `${status} ${text.slice(0, 200)}`);
  testCase.check(JSON.parse(text), competitor.form);
  const said = headers['x-redis-round-trips'];
  return { text, counted, said: said === undefined ? null : Number(said) };
}

/** Removes the fields that a case writes, but for those that belong to every profile. */
async function forget({ batch }, upstream) {
  if (!batch) return;
  await upstream.run(
    batch.map(({ key, fields }) => ['HDEL', key, ...Object.keys(fields).filter((field) => field !== 'display_name')]),
  );
}

async function remembered({ batch }, upstream) {
  if (!batch) return;
  const stored = await upstream.run(batch.map(({ key, fields }) => ['HMGET', key, ...Object.keys(fields)]));
  assert.deepEqual(
    stored,
    batch.map(({ fields }) => Object.values(fields)),
    'the fields are not in Redis afterwards',
  );
}
