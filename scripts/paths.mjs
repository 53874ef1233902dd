// Where things are. Every path that more than one script needs is named here.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, whatever folder a script is called from. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** `cargo install --root` puts wasm-bindgen and worker-build here, so that they never touch the user's own. */
export const TOOLS = join(ROOT, '.tools');

/** Programs of the npm packages. `node` is among them: wrangler needs a newer one than the machine may have. */
export const NPM_BIN = join(ROOT, 'node_modules', '.bin');

/** What worker-build writes: `index.js` and `index_bg.wasm`. */
export const BUILD = join(ROOT, 'build');

/** The fuzz targets: a crate of its own. */
export const FUZZ = join(ROOT, 'fuzz');

/** What our scripts keep between runs; git ignores it. */
export const STATE = join(ROOT, '.ridge');

/** The Worker's variables and secrets in development, in wrangler's own place for them. */
export const DEV_VARS = join(ROOT, '.dev.vars');
