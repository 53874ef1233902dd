// Who runs: each with its modules, its variables, and the form of its answers (`api` as SPEC has them, `bare` as the
// upstream gave them).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { STATE } from '../scripts/paths.mjs';
import { run } from '../scripts/process.mjs';
import { RIDGE } from '../scripts/workerd.mjs';
import { secrets } from './secrets.mjs';

/** In the order in which the table shows them. */
export const NAMES = ['ridge', 'ridge-tcp', 'peer', 'bare'];

const SCRIPTS = {
  peer: 'competitors/peer/index.js',
  bare: 'competitors/bare.js',
  'bare-gateway': 'competitors/bare-gateway.js',
};
const bundle = (name) => join(STATE, 'bench', `${name}.js`);

/** The modules of a JavaScript Worker, once it is bundled. */
export const script = (name) => [{ name: 'index.js', file: bundle(name), kind: 'esModule' }];

/** Nobody else logs: Ridge's line a request is off, its warnings stay. */
export const QUIET = { LOG_LEVEL: 'warn' };

/** The upstream, as Ridge and everybody else is told of it. */
export const overRest = (restUrl) => ({
  UPSTASH_REDIS_REST_URL: restUrl,
  UPSTASH_REDIS_REST_TOKEN: secrets.upstreamToken,
});

/** The chosen ones, against this Redis and this upstream. */
export function competitors(chosen, { redisUrl, restUrl }) {
  const keys = { XANO_API_KEY: secrets.apiKey, JWT_SECRET: secrets.jwtSecret };
  const rest = overRest(restUrl);
  const all = [
    { name: 'ridge', form: 'api', modules: RIDGE, vars: { ...keys, ...QUIET, ...rest } },
    { name: 'ridge-tcp', form: 'api', modules: RIDGE, vars: { ...keys, ...QUIET, REDIS_URL: redisUrl } },
    { name: 'peer', form: 'api', modules: script('peer'), vars: { ...keys, ...rest } },
    { name: 'bare', form: 'bare', modules: script('bare'), vars: rest },
  ];
  return all.filter(({ name }) => chosen.includes(name));
}

export const isRidge = ({ modules }) => modules === RIDGE;

/** Bundles the JavaScript Workers for deploying, or with names that a profile can show. */
export async function bundleScripts({ minify = true } = {}) {
  for (const [name, entry] of Object.entries(SCRIPTS)) {
    await run('esbuild', [
      fileURLToPath(new URL(entry, import.meta.url)),
      '--bundle',
      ...(minify ? ['--minify'] : []),
      '--format=esm',
      '--target=es2024',
      '--conditions=workerd,worker,browser',
      '--external:cloudflare:*',
      '--log-level=warning',
      `--outfile=${bundle(name)}`,
    ]);
  }
}

/** Bytes after gzip of what would be deployed. */
export function gzipSize({ modules }) {
  return modules.reduce((total, { file }) => total + gzipSync(readFileSync(file)).length, 0);
}
