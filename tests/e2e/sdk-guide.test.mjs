// docs/UPSTASH_SDKS.md, as its readers would follow it: its keys and rules are configured, its code is run with them against the
// built Worker, and must print what the page says it prints.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { Redis } from '@upstash/redis';
import { NPM_BIN, ROOT, STATE } from '../../scripts/paths.mjs';
import { capture, runs } from '../../scripts/process.mjs';
import { PYTHON } from '../../scripts/python.mjs';
import { atEnd } from './support/cleanup.mjs';
import { startGateways } from './support/gateways.mjs';

const DAY_MS = 86_400_000;

/** What a key of each recipe may do, and what not. */
const TRIED = {
  'one application in its own namespace': [['set shop:a 1', 'hgetall shop:b', 'scan 0'], ['get other', 'eval return 0', 'keys shop:*', 'dbsize']],
  'reading only, also from a browser': [['get public:a', 'mget public:a public:b'], ['set public:a 1', 'get private', 'copy public:a public:b']],
  'a cache: values with an expiry': [['set cache:a 1 EX 10', 'ttl cache:a', 'unlink cache:a'], ['hset cache:b c d', 'set a 1', 'expire cache:a 1']],
  'Auth.js with the prefixes above': [['set nextauth:user:1 x', 'del nextauth:user:1 null'], ['get user:1', 'keys *']],
  'publishing to and hearing some channels': [['publish chat:1 x'], ['publish news x', 'get chat:1']],
  'everything but emptying the database': [
    ['set a 1', 'keys *', 'publish news x', 'dbsize'],
    ['flushall', 'FLUSHDB async', "eval redis.call('flushall') 0", 'script load x', 'fcall x 0'],
  ],
};

/** Each section's blocks of code, in order: `{Python: [{language, code}…]}`. */
const blocks = { '': [] };
let section = '';
const page = readFileSync(join(ROOT, 'docs', 'UPSTASH_SDKS.md'), 'utf8');
for (const [, title, , language, code] of page.matchAll(/^## (.+)$|^( *)```(\w+)\n([^]*?)^\2```$/gm)) {
  if (title) blocks[section = title] = [];
  else blocks[section].push({ language, code });
}
const only = (title, language) => blocks[title].filter((block) => block.language === language).map(({ code }) => code);

const keys = JSON.parse(only('Make a key', 'json')[0]);
const recipes = [...page.matchAll(/^\| ([^|]+) \| `([~%&][^`]+)` \|$/gm)].map(([, purpose, acl]) => [purpose, acl]);
const acls = Object.fromEntries([...keys.map(({ name, acl }) => [name, acl]), ...recipes]);
const gateways = await startGateways(acls, { NAMESPACES: only('Auth.js', 'json')[0] });

mkdirSync(STATE, { recursive: true });
/** Within the checkout, so that the code finds the packages. */
const folder = mkdtempSync(join(STATE, 'guide-'));
atEnd(() => rmSync(folder, { recursive: true, force: true }));

for (const gateway of gateways) {
  describe(`over ${gateway.name}`, () => {
    beforeEach(() => gateway.redis.run('FLUSHALL'));

    const environment = (key) => ({ UPSTASH_REDIS_REST_URL: gateway.url, UPSTASH_REDIS_REST_TOKEN: gateway.tokenOf(key) });
    for (const [title, key] of [['JavaScript', 'web'], ['Rate limits', 'web'], ['Auth.js', 'auth']]) {
      programs(title, 'js', (file) => capture(join(NPM_BIN, 'node'), [file], { env: environment(key) }), gateway);
    }
    programs('Python', 'python', (file) => capture(PYTHON, [file], { env: environment('jobs') }), gateway);
    describe('curl', () => lines(environment('web')));
    describe('what a key may do', () => permissions(gateway));
    test('the rule gives sessions an expiry', async () => {
      const redis = new Redis({ url: gateway.url, token: gateway.tokenOf('auth') });
      await redis.pipeline().set('nextauth:session:x', 1).set('nextauth:user:x', 1).exec();
      assert.ok(await gateway.redis.run('TTL', 'nextauth:session:x') > 0);
      assert.equal(await gateway.redis.run('TTL', 'nextauth:user:x'), -1);
    });
  });
}

/** A section's programs print what stands behind each of their prints. */
function programs(title, language, run, { redis }) {
  const codes = only(title, language);
  assert.ok(codes.length > 0, title);
  for (const [n, code] of codes.entries()) {
    const file = join(folder, `${title.replace(/\W/g, '')}-${n}.${language === 'js' ? 'mjs' : 'py'}`);
    const expected = [...code.matchAll(/^.*(?:console\.log|print)\(.*\);? +(?:\/\/|#) (.+)$/gm)].map(([, text]) => text);
    test(`${title}, program ${n + 1}`, async () => {
      assert.ok(expected.length > 0);
      writeFileSync(file, code);
      for (;;) {
        const day = Math.floor(Date.now() / DAY_MS);
        const printed = await run(file);
        // The windows of rate limits end at midnight: then again.
        if (day !== Math.floor(Date.now() / DAY_MS)) await redis.run('FLUSHALL');
        else return assert.deepEqual(printed.trimEnd().split('\n'), expected);
      }
    });
  }
}

function lines(env) {
  const pairs = [];
  for (const { language, code } of blocks.curl) {
    if (language === 'sh') pairs.push([code]);
    else if (language === 'json') pairs.at(-1).push(code.trim());
  }
  assert.ok(pairs.length > 0 && pairs.every((pair) => pair.length === 2));

  test('each line is answered as the page says', async (t) => {
    if (!await runs('curl')) return t.skip('there is no curl');
    for (const [line, answer] of pairs) assert.equal(await capture('sh', ['-c', line.replaceAll('curl ', 'curl -sS ')], { env }), answer, line);
  });
}

function permissions({ url, tokenOf }) {
  test('the page has the recipes that are tried', () => assert.deepEqual(recipes.map(([purpose]) => purpose), Object.keys(TRIED)));
  for (const [purpose, [allowed, denied]] of Object.entries(TRIED)) {
    test(purpose, async () => {
      const run = async (line) => {
        const headers = { authorization: `Bearer ${tokenOf(purpose)}` };
        const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(line.split(' ')) });
        return (await response.json()).error ?? 'allowed';
      };
      for (const line of allowed) assert.equal(await run(line), 'allowed', line);
      for (const line of denied) assert.match(await run(line), /^NOPERM /, line);
    });
  }
}
