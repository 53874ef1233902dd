// Gets everything that a fresh clone needs, and does nothing where it is there already.
//
//   npm run setup
//
// Each tool stands here as a pair: how to see that it is there (quickly), and how to get it.

import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { install } from './packages.mjs';
import { NPM_BIN, ROOT, STATE, TOOLS } from './paths.mjs';
import { Failure, capture, main, runs } from './process.mjs';
import { cargoStep, note, programStep } from './progress.mjs';
import { pythonPackages } from './python.mjs';

const WASM_TARGET = 'wasm32-unknown-unknown';
const WORKER_BUILD_VERSION = '0.8.7';
const CARGO_FUZZ_VERSION = '0.13.2';
const OLDEST_NODE = 20;
const OLDEST_REDIS = 7;

/** All that `npm start` needs. `redis: false` is for building and deploying alone, `python: true` for the tests. */
export async function setup({ redis = true, python = false } = {}) {
  checkNode();
  const needs = [npmPackages, compiler, rust, wasmTarget, wasmBindgen, workerBuild];
  if (redis) needs.push(redisServer);
  if (python) needs.push(pythonPackages);
  await provide(needs);
}

/** All that `npm run fuzz` needs. */
export async function setupFuzzing() {
  await provide([compiler, rust, compilerOfCpp, cargoFuzz]);
}

async function provide(needs) {
  for (const need of needs) {
    if (await need.present()) continue;
    // Only now, so that the usual run, which has nothing to do, neither writes nor waits.
    await alone(async () => await need.present() || need.get());
  }
}

const npmPackages = {
  /** npm writes this file last, so a broken-off install counts as none. */
  present() {
    const installed = join(ROOT, 'node_modules', '.package-lock.json');
    return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs;
  },
  async get() {
    // Through a link npm would empty what it points at: the packages of another checkout.
    const folder = join(ROOT, 'node_modules');
    if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) unlinkSync(folder);
    // The machine's own Node may be older than what wrangler asks for, and npm warns of it. Our packages bring a newer one.
    await programStep('npm packages', 'npm', ['ci', '--loglevel=error', '--no-audit', '--no-fund']);
    if (!await runs(join(NPM_BIN, 'node'))) {
      throw new Failure("npm installed no Node of our own. Are install scripts turned off (npm's `ignore-scripts`)?");
    }
  },
};

const rust = {
  // rustup would fetch a missing toolchain by itself, and silently: we would rather show it.
  present: () => runs('cargo', ['--version'], { env: { RUSTUP_AUTO_INSTALL: '0' } }),
  async get() {
    if (!await runs('rustup')) {
      throw new Failure('Ridge is written in Rust, and there is no cargo here. Install Rust from https://rustup.rs, then try again.');
    }
    const channel = valueIn('rust-toolchain.toml', /^channel = "(.+)"$/m);
    const args = ['toolchain', 'install', channel, '--profile', 'minimal', '--component', 'rustfmt', '--component', 'clippy'];
    await programStep(`Rust ${channel}`, 'rustup', args);
  },
};

const wasmTarget = {
  async present() {
    const folder = await capture('rustc', ['--print', 'target-libdir', '--target', WASM_TARGET]).catch(() => '');
    return folder !== '' && existsSync(folder.trim());
  },
  async get() {
    if (!await runs('rustup')) {
      throw new Failure(`Rust's target ${WASM_TARGET} is missing, and there is no rustup to add it.`);
    }
    await programStep(`Rust for ${WASM_TARGET}`, 'rustup', ['target', 'add', WASM_TARGET]);
  },
};

/** Must be exactly the version of the `wasm-bindgen` that the crate is linked with: the two share a private format. */
const wasmBindgen = cargoTool('wasm-bindgen-cli', 'wasm-bindgen', () => lockedVersion('wasm-bindgen'));

const workerBuild = cargoTool('worker-build', 'worker-build', () => WORKER_BUILD_VERSION);

const cargoFuzz = cargoTool('cargo-fuzz', 'cargo-fuzz', () => CARGO_FUZZ_VERSION);

/** Rust links with it, and some crates hold C. */
const compiler = {
  present: () => runs('cc'),
  async get() {
    await install('a C compiler', { apt: ['gcc', 'libc6-dev'] });
    if (await this.present()) return;
    throw new Failure('There is no C compiler here. Install one, for example with `sudo apt-get install gcc libc6-dev`, and try again.');
  },
};

/** libFuzzer is written in C++. */
const compilerOfCpp = {
  present: () => runs('c++'),
  get() {
    throw new Failure('There is no C++ compiler here. Install one, for example with `sudo apt-get install g++`, and try again.');
  },
};

/** A program from crates.io, of exactly one version, in `.tools`. */
function cargoTool(crate, program, version) {
  return {
    async present() {
      const path = join(TOOLS, 'bin', program);
      if (!existsSync(path)) return false;
      const answer = await capture(path, ['--version']).catch(() => '');
      return answer.trim().split(' ').at(-1) === version();
    },
    get() {
      const args = ['install', crate, '--version', version(), '--locked', '--force', '--root', TOOLS];
      return cargoStep(`${crate} ${version()} (once, takes minutes)`, 'cargo', args);
    },
  };
}

const redisServer = {
  async present() {
    const version = await capture('redis-server', ['--version']).catch(() => '');
    return Number(/\bv=(\d+)/.exec(version)?.[1]) >= OLDEST_REDIS;
  },
  async get() {
    await install('redis-server', { brew: ['redis'], apt: ['redis-server'] });
    if (await this.present()) return;
    throw new Failure([
      `There is no redis-server here, or one before version ${OLDEST_REDIS}. Install one, for example with`,
      '  sudo apt-get install redis-server   (Debian 12, Ubuntu 24.04 or later)',
      '  brew install redis                  (macOS)',
      'and try again.',
    ].join('\n'));
  },
};

function checkNode() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE) throw new Failure(`Ridge's tools need Node ${OLDEST_NODE} or later; this is ${process.version}.`);
}

function lockedVersion(crate) {
  return valueIn('Cargo.lock', new RegExp(`^name = "${crate}"\\nversion = "(.+)"$`, 'm'));
}

function valueIn(file, pattern) {
  const value = pattern.exec(readFileSync(join(ROOT, file), 'utf8'))?.[1];
  if (value === undefined) throw new Failure(`${file} does not say what we look for in it: ${pattern}`);
  return value;
}

/** Runs `work` while no other setup of this checkout does: `npm start` and `npm test` may well begin together. */
async function alone(work) {
  const lock = join(STATE, 'setup.lock');
  mkdirSync(STATE, { recursive: true });
  for (let waited = false; !take(lock); waited = true) {
    if (!waited) note('… waiting for another setup of this checkout');
    await sleep(250);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Takes the lock if it is free, or was left behind by a process that is no more. */
function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    if (!alive(holder(lock))) rmSync(lock, { force: true });
    return false;
  }
}

function holder(lock) {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch {
    return NaN;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

await main(import.meta, async () => {
  await setup();
  note('✓ everything is here');
});
