// Who runs. All take the same requests with the same API key, but that the npm server has its routes at the root; it does not
// know everything that Upstash does (`lacks`).
import { RIDGE } from '../../scripts/workerd.mjs';
import { startNpmServer } from '../children.mjs';
import { overRest, QUIET, script } from '../competitors.mjs';
import { secrets } from '../secrets.mjs';

/** In the order in which the table shows them. */
export const NAMES = ['ridge', 'ridge-acl-all', 'ridge-acl', 'ridge-tcp', 'npm', 'bare'];

/** The chosen ones, against this Redis and this upstream. */
export function cast(chosen, { redisUrl, restUrl }) {
  const rest = overRest(restUrl);
  const all = [
    ridge('ridge', rest),
    ridge('ridge-acl-all', rest, '~* +@all'),
    ridge('ridge-acl', rest, '~bench:* +@read +@write'),
    ridge('ridge-tcp', { REDIS_URL: redisUrl }),
    { name: 'npm', root: '', lacks: ['path', 'base64'], start: () => startNpmServer(redisUrl, secrets.gatewayKey) },
    { name: 'bare', root: '/redis', lacks: [], modules: script('bare-gateway'), vars: rest },
  ];
  return all.filter(({ name }) => chosen.includes(name));
}

function ridge(name, backend, acl) {
  const keys = [{ name: 'bench', key: secrets.gatewayKey, scopes: ['gateway'], acl }];
  const vars = { ...QUIET, ...backend, API_KEYS: JSON.stringify(keys) };
  return { name, root: '/redis', lacks: [], modules: RIDGE, vars };
}
