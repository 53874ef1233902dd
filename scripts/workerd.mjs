// One Worker in one `workerd serve` process, on loopback and without wrangler's proxy in front of it: for the bench and the tests.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BUILD, ROOT, STATE } from './paths.mjs';
import { Failure, launch } from './process.mjs';

const FOLDER = join(STATE, 'workerd');

/** The modules of the built Worker. */
export const RIDGE = [
  { name: 'index.js', file: join(BUILD, 'index.js'), kind: 'esModule' },
  { name: 'index_bg.wasm', file: join(BUILD, 'index_bg.wasm'), kind: 'wasm' },
];

/** The program itself: what npm puts into its bin folder may be a script around it, whose CPU is not what we are after. */
const program = async () => (await import('workerd')).default.default; // not before setup has brought it

/** What is still there when we end early. */
const folders = new Set();
const remove = (folder) => rmSync(folder, { recursive: true, force: true });
process.on('exit', () => folders.forEach(remove));

/**
 * Starts a Worker; returns when its socket listens.
 *
 * `modules`: `[{name, file, kind: 'esModule' | 'wasm'}]`, the main one first. `vars`: text bindings. `flags`: further
 * arguments of workerd, `v8Flags`: of V8 (both for profiles). `onLine` gets each line that the Worker logs; without it the
 * lines are dropped, and complaints shown.
 */
export async function startWorker({ modules, vars, flags = [], v8Flags = [], onLine }) {
  mkdirSync(FOLDER, { recursive: true });
  const folder = mkdtempSync(join(FOLDER, 'workerd-'));
  folders.add(folder);
  for (const { name, file } of modules) copyFileSync(file, join(folder, name));
  writeFileSync(join(folder, 'config.capnp'), config(modules, vars, v8Flags), { mode: 0o600 });
  // The control messages (which port was taken) come on standard output, mixed with what the Worker logs.
  const startedAt = performance.now();
  const serving = launch(await program(), ['serve', '--control-fd=1', ...flags, 'config.capnp'], {
    cwd: folder,
    stdout: 'pipe',
    stderr: onLine ? 'pipe' : 'inherit',
  });
  const port = new Promise((resolve) => {
    createInterface({ input: serving.child.stdout }).on('line', (line) => {
      const found = listening(line);
      if (found !== null) resolve(found);
      else onLine?.(line);
    });
  });
  if (onLine) createInterface({ input: serving.child.stderr }).on('line', onLine);
  const ended = serving.exited.then(() => {
    throw new Failure('workerd ended before it listened');
  });
  ended.catch(() => {});
  const stop = async () => {
    await serving.stop();
    remove(folder);
    folders.delete(folder);
  };
  try {
    return { pid: serving.pid, port: await Promise.race([port, ended]), startedAt, folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `{"event":"listen","socket":"http","port":1234}` → 1234. */
function listening(line) {
  if (!line.startsWith('{"event":"listen"')) return null;
  const { socket, port } = JSON.parse(line);
  return socket === 'http' ? port : null;
}

/** What wrangler would set: the compatibility date and flags of wrangler.toml, the same for every competitor. */
export function compatibility() {
  const toml = readFileSync(join(ROOT, 'wrangler.toml'), 'utf8');
  const [, date] = /^compatibility_date\s*=\s*"([^"]+)"/m.exec(toml);
  const [, flags = ''] = /^compatibility_flags\s*=\s*\[([^\]]*)\]/m.exec(toml) ?? [];
  return { date, flags: [...flags.matchAll(/"([^"]+)"/g)].map(([, flag]) => flag) };
}

function config(modules, vars, v8Flags) {
  const { date, flags } = compatibility();
  const quote = JSON.stringify; // Cap'n Proto's text strings have the same escapes
  const list = (items) => `[${items.join(', ')}]`;
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
  v8Flags = ${list(v8Flags.map(quote))},
);

const worker :Workerd.Worker = (
  modules = ${list(modules.map(({ name, kind }) => `(name = ${quote(name)}, ${kind} = embed ${quote(name)})`))},
  bindings = ${list(Object.entries(vars).map(([name, text]) => `(name = ${quote(name)}, text = ${quote(text)})`))},
  compatibilityDate = ${quote(date)},
  compatibilityFlags = ${list(flags.map(quote))},
);
`;
}
