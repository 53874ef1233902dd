// What a test file has started ends with it, the newest first, whether its tests passed or not.
//
// A file starts what it needs before its first `test` or `describe`: the runner takes a file for done once all tests that it
// has heard of are.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

const open = [];

/** Calls `close` when all tests of the file are over. */
export function atEnd(close) {
  open.push(close);
}

/** A folder that is there until then. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'ridge-e2e-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

after(async () => {
  for (const close of open.splice(0).reverse()) await close();
});
