// What a test file has started ends with it, the newest first, whether its tests passed or not.
//
// A file starts what it needs before its first `test` or `describe`: the runner takes a file for done once all tests that it
// has heard of are.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

const open = [];
const folders = new Set();
const remove = (folder) => rmSync(folder, { recursive: true, force: true });

// Told to end, the runner ends its children before they could end theirs one by one. Leaving at once kills them all: what
// happens on `exit` happens without delay, here and in scripts/process.mjs.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.prependListener(signal, () => process.exit(1));
process.on('exit', () => folders.forEach(remove));

/** Calls `close` when all tests of the file are over. */
export function atEnd(close) {
  open.push(close);
}

/** A folder that is there until then. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'ridge-e2e-'));
  folders.add(folder);
  atEnd(() => remove(folder));
  return folder;
}

after(async () => {
  for (const close of open.splice(0).reverse()) await close();
});
