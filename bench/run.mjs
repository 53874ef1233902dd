// `npm run bench`: Ridge beside what one would have written instead, in one run. README.md says what the numbers mean.
//
//   --seconds N        length of a slice of load (1.5)
//   --rounds N         slices of each competitor on each case (7)
//   --connections N    requests under way at a time (8)
//   --cases a,b        only these
//   --competitors a,b  only these
import { main } from '../scripts/process.mjs';
import { note, step } from '../scripts/progress.mjs';
import { begin } from './begin.mjs';
import { CASES, rawRequest } from './cases.mjs';
import { gzipSize, isRidge, NAMES } from './competitors.mjs';
import { measure } from './measure.mjs';
import { failures, printStartUps, printTable, printTargets, row, targets, writeResults } from './report.mjs';
import { openStage } from './stage.mjs';
import { startUps } from './startup.mjs';
import { verifyAll } from './verify.mjs';

const STARTS = 7;

await main(import.meta, async () => {
  const { chosen, chosenCases } = await begin(CASES, NAMES);
  const stage = await openStage(chosen.competitors);
  try {
    const verified = await step('verifying every answer', (detail) => verifyAll(stage, chosenCases, detail));
    const cases = {};
    for (const testCase of chosenCases) {
      const { expect, roundTrips } = verified[testCase.name];
      const slices = await step(testCase.name, (onSlice) =>
        measure({
          ...chosen,
          ...stage,
          tours: tours(testCase, expect),
          warmUp: Math.max(1, chosen.seconds),
          onSlice,
        }),
      );
      const rows = Object.keys(slices).map((name) => [name, row(name, slices, roundTrips[name])]);
      cases[testCase.name] = { what: testCase.what, rows: Object.fromEntries(rows) };
    }
    await stage.stopWorkers();

    // Ridge over TCP is the same Worker: it starts no other way.
    const starters = stage.competitors.filter(({ name }) => name !== 'ridge-tcp');
    const starts = await step('cold starts', (onRun) => startUps(starters, CASES[0], STARTS, onRun));
    const sizes = Object.fromEntries(starters.map((competitor) => [competitor.name, gzipSize(competitor)]));

    const results = { cases, starts, sizes, targets: targets({ cases, sizes }) };
    note();
    const load = `${chosen.connections} connections, ${chosen.rounds} rounds of ${chosen.seconds} s`;
    console.log(`${load}; LOG_LEVEL=warn for Ridge, the others do not log`);
    printTable(cases);
    printStartUps(starts, sizes);
    printTargets(results.targets);
    const whole = chosenCases.length === CASES.length && chosen.competitors.length === NAMES.length;
    failures(cases);
    const { seconds, rounds, connections } = chosen;
    if (whole) writeResults('results.json', { seconds, rounds, connections }, results);
  } finally {
    await stage.close();
  }
});

/** For each competitor the same request over and over, and what each must answer. */
function tours(testCase, expect) {
  const request = rawRequest(testCase);
  return Object.fromEntries(Object.entries(expect).map(([name, expected]) => [name, [[{ request, ...expected }]]]));
}
