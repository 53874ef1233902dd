// Python with the packages of `tests/e2e/python/requirements.txt`, for the tests alone: a virtual environment in `.tools`.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { install } from './packages.mjs';
import { ROOT, TOOLS } from './paths.mjs';
import { Failure, runs } from './process.mjs';
import { programStep } from './progress.mjs';

const FOLDER = join(TOOLS, 'python');
const REQUIREMENTS = join(ROOT, 'tests', 'e2e', 'python', 'requirements.txt');

/** Remembers what was installed, and is written last: a broken-off install counts as none. */
const INSTALLED = join(FOLDER, '.requirements');

/** The program itself. */
export const PYTHON = join(FOLDER, 'bin', 'python');

/** What the packages ask for; the two modules are a package of their own on Debian. */
const CAN_MAKE_ONE = ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'];

/** A need of `setup.mjs`. */
export const pythonPackages = {
  async present() {
    return existsSync(INSTALLED) && readFileSync(INSTALLED, 'utf8') === digest() && runs(PYTHON);
  },
  async get() {
    await python3();
    await programStep('Python, an environment of its own', 'python3', ['-m', 'venv', '--clear', FOLDER]);
    const only = ['--require-hashes', '--only-binary', ':all:', '--disable-pip-version-check'];
    await programStep('Python packages', PYTHON, ['-m', 'pip', 'install', ...only, '--requirement', REQUIREMENTS]);
    writeFileSync(INSTALLED, digest());
  },
};

/** Installs Python if it is missing and we may. */
async function python3() {
  if (await runs('python3', CAN_MAKE_ONE)) return;
  await install('Python', { brew: ['python'], apt: ['python3', 'python3-venv'] });
  if (await runs('python3', CAN_MAKE_ONE)) return;
  throw new Failure([
    'The tests of the Python client need Python 3.10 or later, with venv. Install it, for example with',
    '  sudo apt-get install python3 python3-venv   (Debian 12, Ubuntu 22.04 or later)',
    '  brew install python                         (macOS)',
    'and try again.',
  ].join('\n'));
}

function digest() {
  return createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex');
}
