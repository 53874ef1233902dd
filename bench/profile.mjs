// Where the CPU of one competitor on one case goes: a flat table of functions, by their own time.
//
//   node bench/profile.mjs --competitor ridge --case read-1 --seconds 5 --connections 8 --with perf
//
// `--with perf` samples the whole workerd process (Linux, perf from linux-perf): V8, the runtime and the kernel's share,
// with the Worker's own functions named by V8's perf map. `--with inspector` asks V8's own profiler, which knows JavaScript
// and wasm only and calls all else "(program)"; it writes a .cpuprofile for a browser's developer tools too.
// It profiles what is in build/ as it is: build first. The case may be one of run.mjs or one of gateway.mjs.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { STATE } from '../scripts/paths.mjs';
import { capture, Failure, launch, main } from '../scripts/process.mjs';
import { note, step } from '../scripts/progress.mjs';
import { freePort } from '../scripts/redis.mjs';
import { CASES, rawRequest } from './cases.mjs';
import { bundleScripts, NAMES } from './competitors.mjs';
import { CASES as GATEWAY_CASES } from './gateway/cases.mjs';
import { cast, NAMES as GATEWAY_NAMES } from './gateway/competitors.mjs';
import { fill } from './gateway/data.mjs';
import { verify } from './gateway/verify.mjs';
import { Inspector } from './inspector.mjs';
import { options } from './options.mjs';
import { openStage } from './stage.mjs';
import { verifyAll } from './verify.mjs';
import { setup } from '../scripts/setup.mjs';
import { startWorker } from '../scripts/workerd.mjs';

const FOLDER = join(STATE, 'bench');
const LINES = 50;
const WIDTH = 150;
const WARM_UP = 2;
const DEFAULTS = { competitor: 'ridge', case: 'read-1', seconds: 5, connections: 8, with: 'perf' };

/** The cases of each bench with what runs for them, and the verified requests of one. */
const BENCHES = [
  {
    cases: CASES,
    names: NAMES,
    options: {},
    async tours(testCase, stage) {
      const verified = await verifyAll(stage, [testCase], () => {});
      const [[, expected]] = Object.entries(verified[testCase.name].expect);
      return [[{ request: rawRequest(testCase), ...expected }]];
    },
  },
  {
    cases: GATEWAY_CASES,
    names: GATEWAY_NAMES.filter((name) => name !== 'npm'), // no workerd
    options: { prepare: fill, cast },
    async tours(testCase, stage) {
      const [{ tours }] = Object.values(await verify(testCase, stage));
      return tours;
    },
  },
];
const PROFILERS = { perf: underPerf, inspector: underInspector };

await main(import.meta, async () => {
  const chosen = options(DEFAULTS);
  const bench = BENCHES.find(({ cases }) => cases.some(({ name }) => name === chosen.case));
  const profiler = PROFILERS[chosen.with];
  if (!bench) {
    const names = BENCHES.flatMap(({ cases }) => cases.map(({ name }) => name));
    throw new Failure(`--case takes one of ${names.join(', ')}`);
  }
  if (!bench.names.includes(chosen.competitor)) {
    throw new Failure(`--competitor takes one of ${bench.names.join(', ')} for this case`);
  }
  if (!profiler) throw new Failure(`--with takes one of ${Object.keys(PROFILERS).join(', ')}`);

  await setup();
  await bundleScripts({ minify: false });
  mkdirSync(FOLDER, { recursive: true });
  const stage = await openStage([chosen.competitor], bench.options);
  try {
    const testCase = bench.cases.find(({ name }) => name === chosen.case);
    const tours = await bench.tours(testCase, stage);
    const [competitor] = stage.competitors;
    const { connections } = chosen;
    const drive = (port, seconds) => stage.load.drive({ port, tours, connections, seconds });
    const text = await step(`${chosen.competitor}, ${testCase.name}`, () =>
      profiler(competitor, drive, chosen.seconds),
    );
    note();
    console.log(text);
  } finally {
    await stage.close();
  }
});

async function underPerf(competitor, drive, seconds) {
  const data = join(FOLDER, 'perf.data');
  const worker = await startWorker({ ...competitor, v8Flags: ['--perf-basic-prof'] });
  try {
    await drive(worker.port, WARM_UP);
    const perf = launch('perf', ['record', '-e', 'cpu-clock', '-F', '2000', '-o', data, '-p', String(worker.pid)], {
      stdout: 'ignore',
      stderr: 'ignore',
    });
    const { count } = await drive(worker.port, seconds);
    perf.child.kill('SIGINT'); // perf writes its file when it is interrupted
    const { error } = await perf.exited;
    if (error) throw new Failure(`perf cannot be started (${error.message}). Debian has it as linux-perf.`);
    const jit = `[JIT] tid ${worker.pid}`;
    const tables = [
      ['Where', await report(data, ['--sort', 'dso'])],
      ["The Worker's own functions, compiled by V8", await report(data, ['--sort', 'symbol', '--dsos', jit])],
      ['All functions', await report(data, ['--sort', 'dso,symbol'])],
    ];
    return [`${count} requests`, ...tables.map(([title, lines]) => `${title}\n${lines}`)].join('\n\n');
  } finally {
    await worker.stop();
    rmSync(data, { force: true });
    rmSync(`/tmp/perf-${worker.pid}.map`, { force: true });
  }
}

/** perf's report without its comments and its padding, the first lines of it. */
async function report(data, args) {
  const text = await capture('perf', ['report', '-i', data, '--stdio', '--percent-limit', '0.1', ...args]);
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines
    .slice(0, LINES)
    .map((line) => line.slice(0, WIDTH).trimEnd())
    .join('\n');
}

async function underInspector(competitor, drive, seconds) {
  const port = await freePort();
  const worker = await startWorker({ ...competitor, flags: [`--inspector-addr=127.0.0.1:${port}`] });
  try {
    await drive(worker.port, WARM_UP);
    const inspector = await Inspector.connect(port);
    await inspector.call('Profiler.enable');
    await inspector.call('Profiler.setSamplingInterval', { interval: 200 });
    await inspector.call('Profiler.start');
    const { count } = await drive(worker.port, seconds);
    const { profile } = await inspector.call('Profiler.stop');
    inspector.close();
    const file = join(FOLDER, 'worker.cpuprofile');
    writeFileSync(file, JSON.stringify(profile));
    return `${count} requests; ${file}\n\n${selfTimes(profile, count)}`;
  } finally {
    await worker.stop();
  }
}

/** Own time by function: share of the whole, and µs per request. */
function selfTimes({ nodes, samples, timeDeltas }, count) {
  const names = new Map(
    nodes.map(({ id, callFrame }) => [
      id,
      callFrame.functionName || `(anonymous :${callFrame.lineNumber}:${callFrame.columnNumber})`,
    ]),
  );
  const times = new Map();
  samples.forEach((id, i) => times.set(names.get(id), (times.get(names.get(id)) ?? 0) + timeDeltas[i]));
  const total = timeDeltas.reduce((a, b) => a + b, 0);
  return [...times]
    .sort((a, b) => b[1] - a[1])
    .slice(0, LINES)
    .map(
      ([name, time]) =>
        `${((time / total) * 100).toFixed(2).padStart(6)}%  ${(time / count).toFixed(2).padStart(8)} µs  ${name}`,
    )
    .join('\n');
}
