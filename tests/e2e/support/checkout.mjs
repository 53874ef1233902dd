// A copy of this checkout in which `npm start` may write what it likes, without its neighbour's `.dev.vars`, data or history.

import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { ROOT } from '../../../scripts/paths.mjs';
import { temporaryFolder } from './cleanup.mjs';

/** Large, and the same for both: what is there already need not be fetched or compiled again. */
const SHARED = ['.tools', 'target'];

const PACKAGES = 'node_modules';

/** What belongs to the developer who works here. `build/` comes along, so that nothing is built. */
const PRIVATE = /^(\.git|\.ridge|\.wrangler|\.env.*|\.dev\.vars(?!\.example).*)$/;

/** Makes a copy that is gone after the file's tests. */
export function copyOfCheckout() {
  const copy = join(temporaryFolder(), 'ridge');
  const filter = (path) => {
    const [top] = relative(ROOT, path).split(sep);
    return !SHARED.includes(top) && top !== PACKAGES && !PRIVATE.test(top);
  };
  // The time of package-lock.json tells setup whether node_modules is up to date.
  cpSync(ROOT, copy, { recursive: true, preserveTimestamps: true, filter });
  for (const name of SHARED) {
    if (existsSync(join(ROOT, name))) symlinkSync(join(ROOT, name), join(copy, name), 'dir');
  }
  linkPackages(join(ROOT, PACKAGES), join(copy, PACKAGES));
  return copy;
}

/** A link for each package, not one for all: should npm install in the copy after all, it removes links, and not our packages. */
function linkPackages(from, to) {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) symlinkSync(source, target, 'dir');
    else cpSync(source, target, { preserveTimestamps: true });
  }
}
