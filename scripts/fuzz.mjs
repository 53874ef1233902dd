// Looks for inputs that Ridge's parsers handle wrongly: libFuzzer thinks them up, `fuzz/src/` says what must hold.
//
//   npm run fuzz                  every target, ten minutes each
//   npm run fuzz -- acl           one of them
//   npm run fuzz -- acl 60        for a minute
//
// It begins with `fuzz/seeds/<target>` and what earlier runs collected in `fuzz/corpus/<target>`. It ends at the first input
// that it finds and keeps that in `fuzz/artifacts/<target>`. Made as small as it can be, and once Ridge handles it, such an
// input is a seed: `tests/fuzzed.rs` runs all seeds.

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FUZZ } from './paths.mjs';
import { Failure, main, runLines } from './process.mjs';
import { cargoStep, note, step } from './progress.mjs';
import { setupFuzzing } from './setup.mjs';

const SECONDS = 600;

/** An input that takes longer than this, in seconds, is a finding. By the clock: a busy machine may let it wait. */
const SLOWEST = 120;

/** More memory than this is one, too: a Worker has 128 MB, and libFuzzer's own corpus needs some. */
const MOST_MB = 512;

/** Ridge has no unsafe code, so the sanitizer would cost half of the speed for nothing. Without it any toolchain will do. */
const PLAIN = ['--sanitizer', 'none'];

const TARGETS = readdirSync(join(FUZZ, 'seeds')).sort();

async function fuzz() {
  const { targets, seconds } = fromArguments(process.argv.slice(2));
  await setupFuzzing();
  await cargoStep('building the fuzz targets', 'cargo', ['fuzz', 'build', ...PLAIN]);
  for (const target of targets) await fuzzOne(target, seconds);
}

async function fuzzOne(target, seconds) {
  const corpus = join(FUZZ, 'corpus', target);
  mkdirSync(corpus, { recursive: true });
  const words = join(FUZZ, 'dictionaries', target);
  const options = [
    `-max_total_time=${seconds}`,
    `-timeout=${SLOWEST}`,
    `-rss_limit_mb=${MOST_MB}`,
    ...(existsSync(words) ? [`-dict=${words}`] : []),
  ];
  const args = ['fuzz', 'run', ...PLAIN, target, corpus, join(FUZZ, 'seeds', target), '--', ...options];
  await reported(`${target}, for ${seconds} s`, args);
}

/** Runs libFuzzer as one step. How far it came is shown at the end; if it found something, all that it says of it. */
async function reported(title, args) {
  const said = [];
  let reached = '';
  const work = (detail) => runLines('cargo', args, (line) => {
    if (PROGRESS.test(line)) detail(reached = line);
    else said.push(line);
  });
  await step(title, work).catch((error) => { throw new Failure([...said, error.message].join('\n')); });
  note(`  ${reached}`);
}

/** `#4096 NEW cov: 512 ft: 1903 corp: 84/4Kb …`: inputs tried, code reached by them, inputs worth keeping. */
const PROGRESS = /^#\d+\s/;

function fromArguments([target, seconds = SECONDS, ...rest]) {
  if (rest.length) throw new Failure('Usage: npm run fuzz -- [target] [seconds]');
  if (target !== undefined && !TARGETS.includes(target)) {
    throw new Failure(`'${target}' is no target: it is one of ${TARGETS.join(', ')}`);
  }
  if (!(Number.isInteger(Number(seconds)) && Number(seconds) > 0)) throw new Failure(`'${seconds}' is no number of seconds`);
  return { targets: target === undefined ? TARGETS : [target], seconds: Number(seconds) };
}

await main(import.meta, fuzz);
