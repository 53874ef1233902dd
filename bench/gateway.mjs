// `npm run bench:gateway`: what the gateway costs beside an independent server of the same API, and beside a Worker that passes
// requests on unread. README.md says what the numbers mean.
//
//   --seconds N        length of a slice of load (1.5)
//   --rounds N         slices of each competitor on each case (7)
//   --connections N    requests under way at a time (8)
//   --cases a,b        only these
//   --competitors a,b  only these: npm and bare need no build of Ridge
import { main } from '../scripts/process.mjs';
import { note, step } from '../scripts/progress.mjs';
import { begin } from './begin.mjs';
import { gzipSize, isRidge } from './competitors.mjs';
import { CASES } from './gateway/cases.mjs';
import { cast, NAMES } from './gateway/competitors.mjs';
import { fill } from './gateway/data.mjs';
import { COLUMNS, rows, targets } from './gateway/report.mjs';
import { verify } from './gateway/verify.mjs';
import { measure } from './measure.mjs';
import { failures, printTable, printTargets, writeResults } from './report.mjs';
import { openStage } from './stage.mjs';

await main(import.meta, async () => {
  const { chosen, chosenCases } = await begin(CASES, NAMES);
  const stage = await openStage(chosen.competitors, { prepare: fill, cast });
  try {
    const cases = {};
    for (const testCase of chosenCases) {
      cases[testCase.name] = await step(testCase.name, (detail) => run(testCase, stage, chosen, detail));
    }
    const worker = stage.competitors.find(isRidge);
    const size = worker && gzipSize(worker);
    const list = targets({ cases, size });
    note();
    const { cases: names, competitors, ...settings } = chosen;
    console.log(`${settings.connections} connections, ${settings.rounds} rounds of ${settings.seconds} s`);
    printTable(cases, COLUMNS);
    printTargets(list);
    failures(cases);
    const whole = names.length === CASES.length && competitors.length === NAMES.length;
    if (whole) writeResults('results-gateway.json', settings, { cases, size, targets: list });
  } finally {
    await stage.close();
  }
});

/** One case under load, and its answers before and after. */
async function run(testCase, stage, { seconds, rounds, connections }, detail) {
  detail('verifying');
  const verified = await verify(testCase, stage);
  const names = Object.keys(verified);
  const slices = await measure({
    workers: Object.fromEntries(names.map((name) => [name, stage.workers[name]])),
    tours: Object.fromEntries(names.map((name) => [name, verified[name].tours])),
    load: stage.load,
    seconds,
    warmUp: 2 * seconds, // V8 has compiled wasm for good after some thousand requests
    connections,
    rounds,
    onSlice: detail,
  });
  detail('verifying again');
  await verify(testCase, stage);
  return { what: testCase.what, rows: rows(slices, verified) };
}
