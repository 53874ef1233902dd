// What a user sees while something takes long: which step, how far, how long already.

import { Failure, runLines } from './process.mjs';

/** On a terminal the line of a step is rewritten this often; elsewhere it is repeated seldom, to keep logs short. */
const TICK_MS = process.stderr.isTTY ? 250 : 15_000;

/**
 * Shows one step from its beginning to its end. `work` gets a function that takes the step's latest detail
 * ("57 crates, axum"). Everything goes to standard error: standard output belongs to what was asked for.
 */
export async function step(title, work) {
  const started = Date.now();
  let detail = '';
  const show = (mark, rest) => {
    const line = [`${mark} ${title}`, rest, seconds(started)].filter(Boolean).join(' · ');
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${line.slice(0, process.stderr.columns - 1)}` : `${line}\n`);
  };
  const tick = setInterval(() => show('…', detail), TICK_MS);
  show('…');
  try {
    const result = await work((latest) => { detail = latest; });
    show('✓');
    return result;
  } catch (error) {
    show('✗');
    throw error;
  } finally {
    clearInterval(tick);
    if (process.stderr.isTTY) process.stderr.write('\n');
  }
}

/** Prints a line between steps. */
export function note(line = '') {
  process.stderr.write(`${line}\n`);
}

/**
 * Runs a program that calls cargo, as one step. Cargo names every crate that it compiles: here that becomes a count.
 * All else that it says (warnings, errors) is shown if it fails, and its warnings also if it does not.
 */
export async function cargoStep(title, command, args, options) {
  const said = [];
  const run = step(title, (detail) => {
    let crates = 0;
    return runLines(command, args, (line) => {
      const crate = /^\s+Compiling (\S+)/.exec(line)?.[1];
      if (crate) detail(`${++crates} crates, now ${crate}`);
      else if (!CHATTER.test(line)) said.push(line);
    }, options);
  });
  try {
    await run;
  } catch (error) {
    throw new Failure([...said, error.message].join('\n'));
  }
  const text = said.join('\n').trim();
  if (text) note(text);
}

/** What cargo and worker-build say when all is well. */
const CHATTER = new RegExp([
  '^\\s+(Updating|Locking|Downloading|Downloaded|Blocking|Fresh|Finished|Installing|Installed|Replacing|Replaced|Adding|Ignored)\\b',
  '^\\[INFO\\]:',
  '^\\s*(index\\.js|⚡ Done)',
].join('|'));

function seconds(since) {
  const s = Math.round((Date.now() - since) / 1000);
  return s < 1 ? '' : s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`;
}
