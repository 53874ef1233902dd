#!/usr/bin/env node
// The bundler that worker-build is given: esbuild, with our entry in place of worker-build's.

import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { NPM_BIN, ROOT } from './paths.mjs';

// worker-build calls us in the folder of its unbundled files and names `./shim.js` as the entry.
copyFileSync(join(ROOT, 'src/worker/entry.js'), 'shim.js');

const args = [
  // wasm-bindgen names an imported module once for each function that needs no wrapping, each time with the same value.
  '--log-override:duplicate-object-key=silent',
  ...process.argv.slice(2),
];
const { status, error } = spawnSync(join(NPM_BIN, 'esbuild'), args, { stdio: 'inherit' });
if (error) throw error;
process.exitCode = status ?? 1;
