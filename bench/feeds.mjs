// `npm run bench:feeds`: what the social routes cost in Redis and in the Worker, in a small community and in a large one, beside
// the JavaScript peer. README.md says what the numbers mean.
//
//   --users N, --posts N   the large one (100,000 and 1,000,000)
//   --factor N             the small one is so many times smaller (100)
//   --authors N            so many with as many posts each are followed in `following-fan-in` (1,000)
//   --seconds N            length of a slice of load (1)
//   --rounds N             slices of each competitor on each case and size (5)
//   --connections N        requests under way at a time (8)
//   --cases a,b            only these
//   --competitors a,b      only these: peer alone needs no build of Ridge
import { Failure, main } from '../scripts/process.mjs';
import { note, step } from '../scripts/progress.mjs';
import { begin } from './begin.mjs';
import { CASES } from './feeds/cases.mjs';
import { commandsOf, redisMicros } from './feeds/redistime.mjs';
import { caseResult, failures, printTable, targets } from './feeds/report.mjs';
import { SMALL, sizes } from './feeds/sizes.mjs';
import { verify } from './feeds/verify.mjs';
import { measure } from './measure.mjs';
import { printTargets, writeResults } from './report.mjs';
import { secrets } from './secrets.mjs';
import { openStage } from './stage.mjs';
import { ask } from './verify.mjs';

const COMPETITORS = ['ridge', 'peer'];
const OWN = { users: 100_000, posts: 1_000_000, factor: 100, authors: 1_000, seconds: 1, rounds: 5 };

await main(import.meta, async () => {
  const { chosen, chosenCases } = await begin(CASES, COMPETITORS, OWN);
  const stages = {};
  try {
    for (const [name, { prepare }] of Object.entries(sizes(chosen))) {
      if (!chosenCases.some((testCase) => testCase.sizes.includes(name))) continue;
      stages[name] = await openStage(chosen.competitors, { folder: `redis-${name}`, prepare });
    }
    note();
    const cases = {};
    for (const testCase of chosenCases) {
      cases[testCase.name] = await step(testCase.name, (detail) => run(testCase, stages, chosen, detail));
    }
    // The larger ones would take minutes.
    const worker = stages[SMALL]?.workers.ridge;
    if (worker) await step('every counter after the load', () => reconcile(worker.port));
    const list = targets(cases);
    printTable(cases);
    printTargets(list);
    failures(cases);
    const { cases: names, competitors, ...settings } = chosen;
    const whole = names.length === CASES.length && competitors.length === COMPETITORS.length && isFull(chosen);
    if (whole) writeResults('results-feeds.json', settings, { cases, targets: list });
  } finally {
    for (const stage of Object.values(stages)) await stage.close();
  }
});

function isFull({ users, posts, authors }) {
  return users >= OWN.users && posts >= OWN.posts && authors >= OWN.authors;
}

/** One case on all its data sets: first what it costs in Redis, one request at a time, then under load. */
async function run(testCase, stages, { seconds, rounds, connections }, detail) {
  const names = testCase.sizes.filter((name) => stages[name]);
  const { load } = stages[names[0]];
  const runners = [];
  for (const size of names) {
    detail(`verifying, ${size}`);
    for (const [competitor, verified] of Object.entries(await verify(testCase, stages[size]))) {
      const worker = stages[size].workers[competitor];
      const commands = await commandsOf(stages[size], worker.port, testCase.tours(stages[size].facts).flat());
      runners.push({ id: `${size} ${competitor}`, size, competitor, worker, commands, inRedis: [], ...verified });
    }
  }
  // In turns, as the load is: what disturbs the machine hits one round, and ratios are taken within a round.
  for (let round = 0; round < rounds; round++) {
    for (const { id, size, worker, tours, commands, inRedis } of runners) {
      detail(`time in Redis, round ${round + 1} of ${rounds}, ${id}`);
      inRedis.push(await redisMicros(stages[size], { port: worker.port, tours, commands, load, seconds: seconds / 2 }));
    }
  }
  const byId = (field) => Object.fromEntries(runners.map((runner) => [runner.id, runner[field]]));
  const slices = await measure({
    workers: byId('worker'),
    tours: byId('tours'),
    load,
    seconds,
    warmUp: seconds / 2,
    connections,
    rounds,
    onSlice: detail,
  });
  return caseResult(runners, slices);
}

/** What was seeded and then written under load: nothing may differ from what it counts. */
async function reconcile(port) {
  const headers = { 'x-api-key': secrets.apiKey };
  let cursor;
  do {
    const body = JSON.stringify({ mode: 'report', cursor });
    const { status, text } = await ask(port, { method: 'POST', path: '/admin/reconcile', headers, body });
    if (status !== 200) throw new Failure(`reconcile answers ${status}: ${text}`);
    const report = JSON.parse(text);
    if (report.differences.length) {
      const lines = report.differences.slice(0, 20).map((difference) => `  ${JSON.stringify(difference)}`);
      throw new Failure(['What is counted differs from what there is:', ...lines].join('\n'));
    }
    ({ cursor } = report);
  } while (cursor);
}
