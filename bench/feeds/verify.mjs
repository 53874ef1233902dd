// Before anything is measured, every competitor goes through every tour once, and right. What each answered is what the load
// generator then expects of it; and where two answer the same case, they answer the same.
import assert from 'node:assert/strict';
import { Failure } from '../../scripts/process.mjs';
import { rawRequest } from '../cases.mjs';
import { ask } from '../verify.mjs';

/**
 * Verifies one case on one stage. Returns for each competitor its `tours` with what to expect, and its `roundTrips`: those of
 * the dearest request, as the upstream counted them.
 */
export async function verify(testCase, { facts, workers, upstream }) {
  const tours = testCase.tours(facts);
  if (tours.length === 0) throw new Failure(`there is nothing to ask in '${testCase.name}': the data set is too small`);
  const verified = {};
  let first;
  for (const name of testCase.competitors.filter((name) => workers[name])) {
    const result = await goThrough(name, workers[name].port, tours, testCase, upstream);
    first ??= { name, ...result };
    compare(testCase, first, { name, ...result });
    verified[name] = result;
  }
  return verified;
}

async function goThrough(name, port, tours, testCase, upstream) {
  const result = { tours: [], answers: [], roundTrips: 0 };
  for (const tour of tours) {
    const steps = [];
    for (const step of tour) {
      const before = await upstream.requests();
      const { status, text } = await ask(port, step);
      result.roundTrips = Math.max(result.roundTrips, (await upstream.requests()) - before);
      result.answers.push(judged(name, testCase, step, status, text));
      const length = testCase.moves ? undefined : Buffer.byteLength(text);
      steps.push({ request: rawRequest(step), status, ...(length === undefined ? {} : { length }) });
    }
    result.tours.push(steps);
  }
  return result;
}

function judged(name, testCase, step, status, text) {
  try {
    assert.equal(status, 200, `${status} ${text.slice(0, 200)}`);
    const answer = JSON.parse(text);
    testCase.check(answer, step);
    return answer;
  } catch (error) {
    const asked = `'${testCase.name}' (${step.method} ${step.path})`;
    throw new Failure(`${name} does not answer ${asked} as it must: ${error.message}`);
  }
}

function compare(testCase, one, other) {
  one.answers.forEach((answer, i) => {
    try {
      assert.deepEqual(comparable(answer), comparable(other.answers[i]));
    } catch (error) {
      throw new Failure(`${one.name} and ${other.name} answer '${testCase.name}' differently: ${error.message}`);
    }
  });
}

/** A cursor is its maker's own. */
function comparable({ pagination, ...answer }) {
  if (!pagination) return answer;
  const { nextCursor, ...rest } = pagination;
  return { ...answer, pagination: { ...rest, hasCursor: nextCursor !== null } };
}
