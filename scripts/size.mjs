// What the Worker weighs: Cloudflare limits, and start-up time follows, the size after gzip.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Start-up time grows with the Worker. This is our own limit, after gzip; Cloudflare's is 3 MB for its free plan. */
export const LARGEST_GZIP = 500_000;

/** The size of the Worker in a folder, its JavaScript and its wasm, in bytes: as it is and after gzip. */
export function workerSize(folder) {
  const names = readdirSync(folder).filter((name) => /\.(js|wasm)$/.test(name));
  const files = names.map((name) => readFileSync(join(folder, name)));
  const sum = (measure) => files.reduce((total, file) => total + measure(file), 0);
  return { bytes: sum((file) => file.length), gzip: sum((file) => gzipSync(file).length) };
}

/** Kilobytes of 1,000 bytes, for people. */
export function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} KB`;
}
