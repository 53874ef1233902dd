// Packages of the machine's own package manager, where we may install any.

import { runs } from './process.mjs';
import { programStep } from './progress.mjs';

/** Installs `what` by Homebrew on a Mac, or by apt if we are root; elsewhere it does nothing. */
export async function install(what, { brew, apt }) {
  if (brew && process.platform === 'darwin' && await runs('brew')) {
    await programStep(`${what}, by Homebrew`, 'brew', ['install', ...brew]);
  } else if (apt && process.getuid?.() === 0 && await runs('apt-get')) {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    await programStep("Debian's package lists", 'apt-get', ['update'], { env });
    await programStep(`${what}, by apt-get`, 'apt-get', ['install', '--yes', '--no-install-recommends', ...apt], { env });
  }
}
