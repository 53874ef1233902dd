// Builds the Worker, makes its queue if it is not there, and deploys.
//
//   npm run deploy
//   npm run deploy -- --without-queue    as on an account that can have none
//   npm run deploy -- --dry-run          this and every other argument is handed on to `wrangler deploy`
//
// The queue only saves time: without one, the timer of `wrangler.toml` finds the work that is left within a minute.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { build } from './build.mjs';
import { ROOT } from './paths.mjs';
import { Failure, main } from './process.mjs';
import { note } from './progress.mjs';
import { wrangler, wranglerAtTerminal } from './wrangler.mjs';

const CONFIG = join(ROOT, 'wrangler.toml');

/** Wrangler reads relative paths from where its configuration is, so this one lies beside the other while it is needed. */
const CONFIG_WITHOUT_QUEUE = join(ROOT, 'wrangler.without-queue.toml');

const WITHOUT_QUEUE = '--without-queue';

/** How Cloudflare says that an account has no queues: by its plan (100129), or since nobody has turned them on (11002). */
const NO_QUEUES = /\[code: (100129|11002)\]/;

async function deploy(given) {
  const args = given.filter((arg) => arg !== WITHOUT_QUEUE);
  await build();
  const toml = readFileSync(CONFIG, 'utf8');
  const queue = queueOf(toml);
  if (!queue) return wranglerAtTerminal(['deploy', ...args]);
  if (given.includes(WITHOUT_QUEUE)) return deployWithoutQueue(toml, args);
  if (args.includes('--dry-run') || await ensureQueue(queue)) return wranglerAtTerminal(['deploy', ...args]);
  note('  Deploying without it: what is too large for one request is then carried on each minute, and not at once.');
  deployWithoutQueue(toml, args);
}

/** The queue that the configuration binds the Worker to, if any. */
function queueOf(toml) {
  return /^queue\s*=\s*"([^"]+)"/m.exec(toml)?.[1];
}

/** Sees to it that the queue is there. Says whether it is: false if the account can have none. */
async function ensureQueue(queue) {
  try {
    await makeIfMissing(queue);
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (!NO_QUEUES.test(error.message)) {
      throw new Failure(`${error.message}\n\nTo deploy without the queue: npm run deploy -- ${WITHOUT_QUEUE}`);
    }
    note(`! This account cannot have the queue ${queue}: ${reason(error)}`);
    return false;
  }
}

async function makeIfMissing(queue) {
  try {
    await wrangler(['queues', 'info', queue]);
    note(`✓ the queue ${queue} is there`);
  } catch (error) {
    if (!/does not exist/.test(error.message)) throw error;
    await wrangler(['queues', 'create', queue]);
    note(`✓ made the queue ${queue}`);
  }
}

function deployWithoutQueue(toml, args) {
  const remove = () => rmSync(CONFIG_WITHOUT_QUEUE, { force: true });
  process.on('exit', remove);
  writeFileSync(CONFIG_WITHOUT_QUEUE, withoutQueues(toml));
  try {
    wranglerAtTerminal(['deploy', '--config', CONFIG_WITHOUT_QUEUE, ...args]);
  } finally {
    remove();
  }
}

/** The same configuration without its `[[queues.…]]` tables, each of which ends where the next table begins. */
function withoutQueues(toml) {
  return toml.replace(/^\[\[queues\.\w+\]\]\n(?:(?!\[).*\n?)*/gm, '');
}

/** What Cloudflare said, out of all that wrangler says around it. */
function reason({ message }) {
  const text = stripVTControlCharacters(message).replace(/\s+/g, ' ');
  return /failed\. (.*?\[code: \d+\])/.exec(text)?.[1] ?? text;
}

await main(import.meta, () => deploy(process.argv.slice(2)));
