// Every test there is: the application natively over real Redis servers, then the built Worker in workerd over HTTP.
//
//   npm test

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { NPM_BIN, ROOT } from './paths.mjs';
import { Failure, eachLine, launch, main } from './process.mjs';
import { cargoStep, say } from './progress.mjs';
import { setup } from './setup.mjs';

const E2E = 'tests/e2e';

/** For one file of tests; the longest takes seconds, unless `npm start` has something to build. */
const E2E_WITHIN_MS = 600_000;

async function test() {
  await setup({ python: true });
  await build();
  await cargoStep('compiling the native tests', 'cargo', ['test', '--no-run']);
  const native = await nativeTests();
  const worker = await workerTests();

  // Node has just ended with its summary, but cargo's has scrolled away: once more, so that the end tells everything.
  say(['', 'cargo test', ...native.summary].join('\n'));
  const failed = [!native.passed && 'cargo test', !worker.passed && 'node --test'].filter(Boolean);
  if (failed.length) throw new Failure(`\nFailed: ${failed.join(', ')}`);
}

/** Runs cargo's tests, and keeps what each test program says of itself. */
async function nativeTests() {
  const cargo = launch('cargo', ['test', '--no-fail-fast'], { stdout: 'pipe', stderr: 'pipe' });
  const summary = [];
  const reading = eachLine(cargo, (line) => {
    if (/^\s+(Running|Doc-tests) |^test result: /.test(line)) summary.push(line);
    say(line);
  });
  const [{ code }] = await Promise.all([cargo.exited, reading]);
  return { passed: code === 0, summary };
}

/** Runs the tests of the built Worker. */
async function workerTests() {
  const folder = join(ROOT, E2E);
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.test.mjs')).sort() : [];
  if (files.length === 0) throw new Failure(`There are no tests in ${E2E}.`);
  const args = ['--test', '--test-reporter=spec', `--test-timeout=${E2E_WITHIN_MS}`, ...files.map((name) => join(E2E, name))];
  const { code } = await launch(join(NPM_BIN, 'node'), args).exited;
  return { passed: code === 0 };
}

await main(import.meta, test);
