// @upstash/redis in the ways in which it may be used, over each backend of the gateway.

import { describe } from 'node:test';
import { Redis } from '@upstash/redis';

/** How the SDK asks: many commands in one pipeline, as it does by itself; one at a time; without base64. */
const WAYS = {
  'as the SDK does by itself': {},
  'a request for each command': { enableAutoPipelining: false },
  'without base64': { enableAutoPipelining: false, responseEncoding: false },
};

/** Calls `tests` with a client for each gateway and each way. */
export function everyWay(gateways, tests) {
  for (const { name, url, token } of gateways) {
    for (const [way, options] of Object.entries(WAYS)) {
      describe(`over ${name}, ${way}`, () => tests(new Redis({ url, token, ...options })));
    }
  }
}

/** All that the pages of a cursor hold. `page` gets a cursor and gives the next one and some items. */
export async function fully(page) {
  const found = new Set();
  let cursor = '0';
  do {
    const [next, items] = await page(cursor);
    for (const item of items) found.add(item);
    cursor = next;
  } while (cursor !== '0');
  return [...found];
}
