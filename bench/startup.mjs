// What a cold start costs: from the start of the process to its first answer, time and CPU. Most of it is workerd's own, so
// the pass-through, which has nothing to load, is the line to compare with.
import { cpuMicros } from './cpu.mjs';
import { median } from './numbers.mjs';
import { ask } from './verify.mjs';
import { startWorker } from '../scripts/workerd.mjs';

/** `{[name]: {ms, cpuMs}}`, medians over `runs` starts each, in turns. */
export async function startUps(competitors, testCase, runs, onRun) {
  const taken = Object.fromEntries(competitors.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const competitor of competitors) {
      onRun(`start ${run + 1} of ${runs}, ${competitor.name}`);
      taken[competitor.name].push(await startUp(competitor, testCase));
    }
  }
  return Object.fromEntries(
    Object.entries(taken).map(([name, starts]) => [
      name,
      { ms: median(starts.map(({ ms }) => ms)), cpuMs: median(starts.map(({ cpuMs }) => cpuMs)) },
    ]),
  );
}

async function startUp(competitor, testCase) {
  const worker = await startWorker(competitor);
  try {
    await ask(worker.port, testCase);
    return { ms: performance.now() - worker.startedAt, cpuMs: cpuMicros(worker.pid) / 1000 };
  } finally {
    await worker.stop();
  }
}
