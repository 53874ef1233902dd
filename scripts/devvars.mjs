// `.dev.vars`: the Worker's variables and secrets in development.

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parse } from './dotenv.mjs';
import { DEV_VARS } from './paths.mjs';

/** What `.dev.vars` says; nothing if there is none. */
export function devVars() {
  return existsSync(DEV_VARS) ? parse(readFileSync(DEV_VARS, 'utf8')) : {};
}

/** Writes a `.dev.vars` with secrets of its own if there is none; says whether it did. */
export function ensureDevVars() {
  if (existsSync(DEV_VARS)) return false;
  const secret = () => randomBytes(32).toString('hex');
  // Readable by its owner only.
  writeFileSync(DEV_VARS, `# Written by \`npm start\`, and yours to change. .dev.vars.example explains every variable.
XANO_API_KEY=${secret()}
API_KEYS='[{"name":"sdk","key":"${secret()}","scopes":["gateway"]}]'
JWT_SECRET=${secret()}
ENVIRONMENT=development
`, { mode: 0o600, flag: 'wx' });
  return true;
}
