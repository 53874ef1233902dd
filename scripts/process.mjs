// The one place that starts other programs, and that makes sure that none of them outlives us.
//
// Each program gets a process group of its own, so that it can be ended with all that it started in turn: wrangler starts
// workerd, esbuild and the build, the build starts cargo, cargo starts rustc. A group of its own also means that the
// terminal's Ctrl-C reaches only us, and that we choose the order in which things end.

import { spawn, spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NPM_BIN, ROOT, TOOLS } from './paths.mjs';

/** An error whose message is all that a user needs; `main` prints it without a stack. */
export class Failure extends Error {}

/** How long a program may take to end after it was asked to, before it is killed. */
const GRACE_MS = 10_000;

/** How often a script of npm's looks whether npm is still there. */
const PARENT_CHECK_MS = 500;

/** What is running now, oldest first. */
const running = new Set();

/** Set once a signal has told us to end: nothing may be started any more. */
let ending = false;

/** Set once the signals are ours to handle. */
let watching = false;

/** The environment for other programs: ours, with our own tools first in PATH. */
export function environment(extra = {}) {
  const path = [NPM_BIN, join(TOOLS, 'bin'), process.env.PATH].filter(Boolean).join(delimiter);
  return { ...process.env, PATH: path, ...extra };
}

/**
 * Starts a program and returns at once. `stdout` and `stderr` as for `spawn`; standard input is never the terminal's.
 *
 * `exited` never rejects: it gives `{ code, signal }`, or `{ error }` if the program could not be started.
 * `stop()` ends the program and its whole group, and returns when they are gone; `stopping` is true from then on.
 */
export function launch(command, args, { env, cwd = ROOT, stdout = 'inherit', stderr = 'inherit' } = {}) {
  if (ending) throw new Failure(`${command} was not started: we are ending`);
  endOnSignals();
  const child = spawn(command, args, {
    cwd,
    env: environment(env),
    stdio: ['ignore', stdout, stderr],
    detached: true,
  });
  const exited = new Promise((resolve) => {
    child.once('error', (error) => resolve({ error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const program = { child, pid: child.pid, exited, stopping: false, stop: () => stopGroup(program) };
  if (program.pid !== undefined) {
    running.add(program);
    exited.then(() => groupExists(program) || running.delete(program));
  }
  return program;
}

/** Runs a program to its end, its output being ours; fails if it does. */
export async function run(command, args, options) {
  judge(command, args, await launch(command, args, options).exited);
}

/**
 * Runs a program that may ask its user something: the terminal is its own for as long as it runs, Ctrl-C included, and nothing
 * of ours goes on meanwhile. Fails if it does.
 */
export function runAtTerminal(command, args, { env, cwd = ROOT } = {}) {
  const { status: code, signal, error } = spawnSync(command, args, { cwd, env: environment(env), stdio: 'inherit' });
  judge(command, args, { code, signal, error });
}

/** Runs a program to its end and hands each line of its output to `onLine`; fails if it does. */
export async function runLines(command, args, onLine, options) {
  const program = launch(command, args, { ...options, stdout: 'pipe', stderr: 'pipe' });
  const [outcome] = await Promise.all([program.exited, eachLine(program, onLine)]);
  judge(command, args, outcome);
}

/** Runs a program to its end and gives what it wrote to standard output; its complaints are part of the failure. */
export async function capture(command, args, options) {
  const { child, exited } = launch(command, args, { ...options, stdout: 'pipe', stderr: 'pipe' });
  const [outcome, stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  judge(command, args, outcome, stderr);
  return stdout;
}

/** Hands each line that a program writes, to either output, to `onLine`, until it writes no more. */
export async function eachLine({ child }, onLine) {
  await Promise.all([child.stdout, child.stderr].map(async (input) => {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) onLine(line);
  }));
}

/** Is this program there, and does it run? */
export async function runs(command, args = ['--version'], options) {
  return capture(command, args, options).then(() => true, () => false);
}

/** Ends all that is running, the newest first, since what came later may need what came before it. */
export async function stopAll() {
  for (const program of [...running].reverse()) await program.stop();
}

/** Runs a script's own `body` if that script is what node was called with, and not if it was imported. */
export async function main(meta, body) {
  if (process.argv[1] === undefined || realpathSync(process.argv[1]) !== fileURLToPath(meta.url)) return;
  try {
    await body();
  } catch (error) {
    if (ending) return; // what we ended ourselves has "failed"; the signal's handler exits
    console.error(error instanceof Failure ? error.message : error);
    await stopAll();
    process.exit(1);
  }
}

function judge(command, args, { code, signal, error }, complaint = '') {
  if (code === 0) return;
  if (error?.code === 'ENOENT') throw new Failure(`${command} was not found. Is it installed, and in PATH?`);
  const how = error ? error.message : signal ? `was ended by ${signal}` : `failed with exit code ${code}`;
  throw new Failure([`${[command, ...args].join(' ')} ${how}`, complaint.trim()].filter(Boolean).join('\n'));
}

/** Asks a group to end, and kills what has not done so in time. */
async function stopGroup(program) {
  program.stopping = true;
  signalGroup(program, 'SIGTERM');
  const deadline = Date.now() + GRACE_MS;
  while (groupExists(program)) {
    if (Date.now() > deadline) signalGroup(program, 'SIGKILL');
    await sleep(20);
  }
  running.delete(program);
}

function groupExists(program) {
  return signalGroup(program, 0);
}

/** Sends a signal to a whole group; false if there is no one left in it. */
function signalGroup({ pid }, signal) {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Makes Ctrl-C, a closed terminal and `kill` end what we started before they end us. */
function endOnSignals() {
  if (watching) return;
  watching = true;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(signal));
  if (process.env.npm_lifecycle_event) endWithParent();
  // The last resort, for a way out that we did not foresee. Only what is synchronous happens here.
  process.on('exit', () => running.forEach((program) => signalGroup(program, 'SIGKILL')));
}

/** npm hands a signal to the shell between it and us, and that shell dies without a word. Being orphaned tells us. */
function endWithParent() {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && end('SIGTERM'), PARENT_CHECK_MS).unref();
}

async function end(signal) {
  if (ending) return; // a Ctrl-C comes twice: from the terminal, and passed on by npm
  ending = true;
  await stopAll();
  process.exit(128 + constants.signals[signal]);
}
