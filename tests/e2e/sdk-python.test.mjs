// The official Python client, upstash-redis, blocking and asynchronous, against the built Worker. The tests themselves are
// Python's, in `python/`: here each of its modules is run once for each backend.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { launch } from '../../scripts/process.mjs';
import { PYTHON } from '../../scripts/python.mjs';
import { startGateways } from './support/gateways.mjs';

const FOLDER = fileURLToPath(new URL('python', import.meta.url));

const MODULES = readdirSync(FOLDER).filter((name) => /^test_\w+\.py$/.test(name)).map((name) => name.slice(0, -'.py'.length));

for (const { name, url, token, tokenOf } of await startGateways({ confined: '~app:* +@read +@write' })) {
  const env = { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token, CONFINED_TOKEN: tokenOf('confined'), PYTHONDONTWRITEBYTECODE: '1' };
  describe(`over ${name}`, () => {
    for (const module of MODULES) {
      test(module, async () => {
        const { code, said } = await run([PYTHON, '-m', 'unittest', '--verbose', module], env);
        assert.equal(code, 0, said);
        assert.match(said, /^Ran [1-9]\d* tests? /m);
      });
    }
  });
}

async function run([command, ...args], env) {
  const { child, exited } = launch(command, args, { env, cwd: FOLDER, stdout: 'pipe', stderr: 'pipe' });
  const [{ code, error }, stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  return { code, said: [error?.message, stdout, stderr].filter(Boolean).join('\n') };
}
