// Builds the Worker into `build/`: Rust to wasm, wasm-bindgen, wasm-opt, esbuild. Always for release: what runs in
// development is what is deployed.
//
//   npm run build
//
// It is also wrangler's build command (`wrangler.toml`), so that `wrangler dev` and `wrangler deploy` alone work too.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { devVars } from './devvars.mjs';
import { BUILD, NPM_BIN, ROOT, TOOLS } from './paths.mjs';
import { main } from './process.mjs';
import { cargoStep, note } from './progress.mjs';
import { setup } from './setup.mjs';
import { kilobytes, workerSize } from './size.mjs';
import { strip } from './strip.mjs';
import { setInVain } from './variables.mjs';

/** All that the Worker is made from. Folders count with everything in them. */
const SOURCES = ['src', '.cargo', 'build.rs', 'Cargo.toml', 'Cargo.lock', 'package-lock.json', 'rust-toolchain.toml', 'scripts/build.mjs', 'scripts/setup.mjs', 'scripts/bundle.mjs', 'scripts/strip.mjs'];

/** What is taken from the environment. RIDGE_KEEP_NAMES=1 leaves the names of functions in, for a profile. */
const SETTINGS = ['RUSTFLAGS', 'CARGO_ENCODED_RUSTFLAGS', 'RIDGE_KEEP_NAMES'];

/** Remembers what the build was made from. Unlike file times, a digest is right after `git checkout`, too. */
const BUILT_FROM = join(BUILD, '.built-from');

/** Builds the Worker, unless it was built from exactly these sources already. */
export async function build() {
  await setup({ redis: false });
  const digest = digestOfSources();
  if (isBuilt(digest)) {
    note(`✓ the Worker is built (${size()})`);
    return;
  }
  await compile();
  if (!process.env.RIDGE_KEEP_NAMES) strip(join(BUILD, 'index_bg.wasm'));
  writeFileSync(BUILT_FROM, digest);
  note(`  ${size()}`);
}

async function compile() {
  rmSync(BUILT_FROM, { force: true });
  try {
    await cargoStep('building the Worker', join(TOOLS, 'bin', 'worker-build'), ['--release'], { env: WORKER_BUILD_ENV });
  } catch (error) {
    // A build that fails leaves this behind, and the next one would wait five seconds for it to look abandoned.
    rmSync(join(BUILD, '.tmp'), { recursive: true, force: true });
    throw error;
  }
}

const WORKER_BUILD_ENV = {
  // Without these three, worker-build fetches its own, from places that may be closed.
  WASM_BINDGEN_BIN: join(TOOLS, 'bin', 'wasm-bindgen'),
  WASM_OPT_BIN: join(NPM_BIN, 'wasm-opt'),
  ESBUILD_BIN: fileURLToPath(new URL('bundle.mjs', import.meta.url)),
  // A compiler error is no reason for a backtrace of worker-build itself.
  RUST_BACKTRACE: '0',
};

function isBuilt(digest) {
  const files = ['index.js', 'index_bg.wasm'].map((name) => join(BUILD, name));
  return files.every(existsSync) && existsSync(BUILT_FROM) && readFileSync(BUILT_FROM, 'utf8') === digest;
}

function digestOfSources() {
  const hash = createHash('sha256');
  for (const name of SETTINGS) hash.update(`${name}=${process.env[name] ?? ''}\0`);
  for (const path of SOURCES.flatMap(filesIn)) hash.update(`${path}\0`).update(readFileSync(join(ROOT, path))).update('\0');
  return hash.digest('hex');
}

/** The files at and below a path, in an order that does not change. */
function filesIn(path) {
  const at = join(ROOT, path);
  if (!existsSync(at)) return [];
  try {
    return readdirSync(at).sort().flatMap((name) => filesIn(`${path}/${name}`));
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path];
    throw error;
  }
}

function size() {
  const { bytes, gzip } = workerSize(BUILD);
  return `${kilobytes(gzip)} after gzip, ${kilobytes(bytes)} before`;
}

/** A Worker without its Redis answers 500, and nobody would guess why. */
function warnOfVain() {
  const names = setInVain(process.env, devVars());
  if (names.length === 0) return;
  note(`! ${names.join(', ')}: set in the environment, which \`wrangler dev\` does not hand to the Worker.`);
  note(`  Write it into .dev.vars, or add --var ${names[0]}:"$${names[0]}", or use \`npm start\`, which hands it on.`);
}

await main(import.meta, async () => {
  warnOfVain();
  await build();
});
