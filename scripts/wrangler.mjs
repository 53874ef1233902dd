// Runs wrangler, and shows of what it says only what is worth reading.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serialise } from './dotenv.mjs';
import { NPM_BIN, ROOT, STATE } from './paths.mjs';
import { capture, eachLine, launch, runAtTerminal } from './process.mjs';
import { HANDED_ON } from './variables.mjs';

/** Wrangler needs a newer Node than ours may be. */
const NODE = join(NPM_BIN, 'node');
const WRANGLER = join(ROOT, 'node_modules', 'wrangler', 'bin', 'wrangler.js');

/** Runs any command of wrangler's to its end. What it says is shown if it fails. */
export function wrangler(args) {
  return capture(NODE, [WRANGLER, ...args], { env: QUIET });
}

/** Runs a command that may ask its user something, and that is not done in a moment: all that it says is shown. */
export function wranglerAtTerminal(args) {
  runAtTerminal(NODE, [WRANGLER, ...args]);
}

/**
 * Starts the Worker on a port of the loopback interface. `variables` are all that it gets: `.dev.vars` is not read besides.
 * Lines of the Worker's log and of builds go to `onLine`. The answer is a program of `process.mjs`, with `silent` for when
 * it will say no more.
 */
export function startWrangler({ port, variables, onLine }) {
  const file = variablesFile(port, variables);
  const program = launch(NODE, [
    WRANGLER, 'dev',
    '--ip', '127.0.0.1',
    '--port', String(port),
    '--inspector-port', '0', // any: the usual one may be taken by another wrangler
    '--env-file', file,
    '--show-interactive-dev-session', 'false',
  ], { env: { ...QUIET, [HANDED_ON]: '1' }, stdout: 'pipe', stderr: 'pipe' });
  program.exited.then(() => rmSync(file, { force: true }));
  const worthReading = filter();
  const silent = eachLine(program, (line) => {
    const shown = worthReading(line);
    if (shown !== undefined) onLine(shown);
  });
  return Object.assign(program, { silent });
}

/**
 * Writes what the Worker is to get where only we can read it. As `--var` arguments the secrets would be for all to see, in
 * `ps`; and wrangler hands the process environment on either not at all or as a whole.
 */
function variablesFile(port, variables) {
  const file = join(STATE, `worker-${port}.env`);
  mkdirSync(STATE, { recursive: true });
  rmSync(file, { force: true });
  writeFileSync(file, serialise(variables), { mode: 0o600, flag: 'wx' });
  process.on('exit', () => rmSync(file, { force: true }));
  return file;
}

const QUIET = {
  CI: '1', // asks nothing
  NO_COLOR: '1', // so that we can tell its lines apart
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_WRITE_LOGS: 'false',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
};

/** What wrangler says in every run. An indented line belongs to the one before it. */
const NOISE = [
  /^$/,
  /^─+$/,
  /⛅️ wrangler/,
  /^Using secrets defined in/,
  /^Your Worker has access to the following bindings/,
  /^(Binding|env\.\S+) .*(Resource|local)/,
  /^No bindings found/,
  /^⎔ /,
  /^\[wrangler:info\]/, // "Ready", which we say ourselves, and a line a request, which the Worker logs better
  /Unable to fetch the `Request\.cf` object/, // without internet; harmless
  /^Error: getaddrinfo .* workers\.cloudflare\.com/,
  /^\[custom build\] (Running: .*|✓ the Worker is built .*)?$/,
  /Process exited with non-zero status/, // a dump of wrangler's inside when a build failed; the build's own words came before
  /There are likely more logs from your build command above/,
  /Logs were written to/,
];

/** Makes a function that returns a line as it should be shown, or nothing. */
function filter() {
  let hiding = false;
  return (line) => {
    hiding = NOISE.some((noise) => noise.test(line)) || (hiding && /^\s/.test(line));
    return hiding ? undefined : line.replace(/^\[custom build\] /, '  ');
  };
}
