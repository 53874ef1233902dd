// What a user sees while something takes long: which step, how far, how long already.

import { Failure, runLines } from './process.mjs';

const terminal = process.stderr.isTTY;

/** Back to the beginning of the line, and all of it gone. */
const ERASE = '\r\x1b[2K';

/** On a terminal the line of a step is rewritten this often; elsewhere it is repeated seldom, to keep logs short. */
const TICK_MS = terminal ? 250 : 15_000;

const BAR_WIDTH = 20;

/** The unfinished line of the step that is running, on a terminal. */
let unfinished = '';

/**
 * Shows one step from its beginning to its end. `work` gets a function that takes the step's latest detail
 * ("57 crates, now axum"). All this goes to standard error: standard output belongs to what was asked for.
 */
export async function step(title, work) {
  const started = Date.now();
  let detail = '';
  const show = (mark, rest) => draw([`${mark} ${title}`, rest, elapsed(started)].filter(Boolean).join(' · '));
  const tick = setInterval(() => show('…', detail), TICK_MS);
  show('…');
  try {
    const result = await work((latest) => { detail = latest.trim(); });
    show('✓');
    return result;
  } catch (error) {
    show('✗');
    throw error;
  } finally {
    clearInterval(tick);
    if (unfinished) process.stderr.write('\n');
    unfinished = '';
  }
}

/** How far a step of known length is, as its detail: `█████░░░░░░░░░░░░░░░ 27%`. */
export function bar(done, all) {
  const share = all > 0 ? done / all : 1;
  const full = Math.floor(share * BAR_WIDTH);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${Math.floor(share * 100)}%`;
}

/** Prints a line for the user, between steps or during one. */
export function note(line = '') {
  print(process.stderr, line);
}

/** Prints a line that was asked for, to standard output. */
export function say(line = '') {
  print(process.stdout, line);
}

function draw(line) {
  if (!terminal) return void process.stderr.write(`${line}\n`);
  unfinished = line.slice(0, (process.stderr.columns || 80) - 1);
  process.stderr.write(`${ERASE}${unfinished}`);
}

function print(stream, line) {
  stream.write(`${unfinished && ERASE}${line}\n`);
  if (unfinished) process.stderr.write(unfinished);
}

/** Runs a program as one step, its latest line being the detail. What it said last is shown if it fails. */
export async function programStep(title, command, args, options) {
  const last = [];
  await step(title, (detail) => runLines(command, args, (line) => {
    detail(line);
    if (last.push(line) > 20) last.shift();
  }, options)).catch((error) => { throw new Failure([...last, error.message].join('\n')); });
}

/**
 * Runs a program that calls cargo, as one step. Cargo names every crate that it works on: here that becomes a count. All
 * else that it says is a warning or an error, and is shown when the step is over.
 */
export async function cargoStep(title, command, args, options) {
  const said = [];
  let crates = 0;
  const work = (detail) => runLines(command, args, (line) => {
    const crate = AT_WORK.exec(line)?.[1];
    if (crate) detail(`${++crates} crates, now ${crate}`);
    else if (!CHATTER.test(line)) said.push(line);
  }, options);
  try {
    await step(title, work);
  } catch (error) {
    throw new Failure([...said, error.message].join('\n'));
  }
  const text = said.join('\n').trimEnd();
  if (text) note(text);
}

const AT_WORK = /^\s+(?:Compiling|Checking|Documenting) (\S+)/;

/** What cargo and worker-build say when all is well. */
const CHATTER = new RegExp([
  String.raw`^\s+(Updating|Locking|Adding|Downloading|Downloaded|Blocking|Fresh|Finished|Generated|Executable)\b`,
  String.raw`^\s+(Installing|Installed|Replacing|Replaced|Ignored)\b`,
  String.raw`^\[INFO\]:`,
  '^warning: package .* is yanked in registry', // only what we install with --locked; its authors chose the versions
  String.raw`^\s*(index\.js|⚡ Done)`, // esbuild
].join('|'));

function elapsed(since) {
  const s = Math.round((Date.now() - since) / 1000);
  return s < 1 ? '' : s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`;
}
