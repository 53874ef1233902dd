#!/usr/bin/env node
// The esbuild that worker-build is given. wasm-bindgen names an imported module once for each function that needs no
// wrapping, each time with the same value; esbuild warns of the repeated key, and there is nothing that we could mend.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { NPM_BIN } from './paths.mjs';

const args = ['--log-override:duplicate-object-key=silent', ...process.argv.slice(2)];
const { status, error } = spawnSync(join(NPM_BIN, 'esbuild'), args, { stdio: 'inherit' });
if (error) throw error;
process.exitCode = status ?? 1;
