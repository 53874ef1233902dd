// What CI runs besides the tests: format, lints, docs, the bundle that would be deployed, the list of variables, and links.
//
//   npm run check

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { brokenLinks } from './links.mjs';
import { FUZZ, ROOT, STATE } from './paths.mjs';
import { Failure, main } from './process.mjs';
import { cargoStep, note, step } from './progress.mjs';
import { setup } from './setup.mjs';
import { kilobytes, LARGEST_GZIP, workerSize } from './size.mjs';
import { START_VARIABLES, WORKER_VARIABLES } from './variables.mjs';
import { wrangler } from './wrangler.mjs';

const WASM = ['--target', 'wasm32-unknown-unknown', '--lib'];
const DENY_WARNINGS = ['--', '-D', 'warnings'];

const CHECKS = [
  () => cargoStep('format', 'cargo', ['fmt', '--check', '--', '--color', 'never']),
  () => cargoStep('format, fuzz targets', 'cargo', ['fmt', '--check', '--manifest-path', join(FUZZ, 'Cargo.toml'), '--', '--color', 'never']),
  () => cargoStep('lints, native', 'cargo', ['clippy', '--all-targets', ...DENY_WARNINGS]),
  () => cargoStep('lints, wasm', 'cargo', ['clippy', ...WASM, ...DENY_WARNINGS]),
  () => cargoStep('docs', 'cargo', ['doc', '--no-deps'], { env: { RUSTDOCFLAGS: '-D warnings' } }),
  () => step('variables', variablesAreDocumented),
  () => step('links', linksLead),
  deployable,
];

/** Runs all of them, whatever becomes of the first, so that one run shows everything that is wrong. */
async function check() {
  await setup({ redis: false });
  let failures = 0;
  for (const one of CHECKS) {
    try {
      await one();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      note(error.message);
      failures++;
    }
  }
  if (failures) throw new Failure(`\n${failures} of ${CHECKS.length} checks failed.`);
  note(`\n✓ all ${CHECKS.length} checks passed`);
}

/** `.dev.vars.example` names exactly the Worker's variables, and the README explains every variable there is. */
async function variablesAreDocumented() {
  const example = new Set(textOf('.dev.vars.example').match(/(?<=^(?:# )?)[A-Z][A-Z0-9_]+(?==)/gm));
  const readme = new Set(textOf('README.md').match(/(?<=`)[A-Z][A-Z0-9_]+(?=`)/g));
  const worker = WORKER_VARIABLES.map(({ name }) => name);
  const all = [...START_VARIABLES, ...WORKER_VARIABLES].map(({ name }) => name);
  const faults = [
    ...worker.filter((name) => !example.has(name)).map((name) => `.dev.vars.example does not name ${name}`),
    ...[...example].filter((name) => !worker.includes(name)).map((name) => `.dev.vars.example names ${name}, which Ridge does not know`),
    ...all.filter((name) => !readme.has(name)).map((name) => `README.md does not explain \`${name}\``),
  ];
  if (faults.length) throw new Failure(faults.join('\n'));
}

async function linksLead() {
  const faults = await brokenLinks();
  if (faults.length) throw new Failure(faults.join('\n'));
}

function textOf(file) {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** Wrangler accepts the Worker, and it is small enough. */
async function deployable() {
  await build();
  const folder = join(STATE, 'dry-run');
  rmSync(folder, { recursive: true, force: true });
  await step('wrangler deploy --dry-run', () => wrangler(['deploy', '--dry-run', '--outdir', folder]));
  const { gzip } = workerSize(folder);
  note(`  ${kilobytes(gzip)} after gzip, of at most ${kilobytes(LARGEST_GZIP)}`);
  if (gzip >= LARGEST_GZIP) throw new Failure('The Worker has grown too large.');
}

await main(import.meta, check);
