// Every variable that Ridge knows: `npm start` hands these on, and `npm run check` holds `.dev.vars.example` against them.

/** Read by `npm start` itself and never handed to the Worker. */
export const START_VARIABLES = [
  { name: 'PORT', initial: '8787', meaning: 'where `npm start` listens, on loopback only' },
];

/** Read by the Worker. Without `initial`, a variable that is not set turns off what it is about. */
export const WORKER_VARIABLES = [
  { name: 'REDIS_URL', meaning: 'redis:// or rediss://, with user, password and db; this or the UPSTASH_ pair' },
  { name: 'UPSTASH_REDIS_REST_URL', meaning: 'a Redis behind an Upstash REST API' },
  { name: 'UPSTASH_REDIS_REST_TOKEN', meaning: 'its token' },
  { name: 'REDIS_TIMEOUT_MS', initial: '5000', meaning: 'how long a whole request may wait for Redis' },
  { name: 'XANO_API_KEY', meaning: 'one API key, with every scope but gateway' },
  { name: 'API_KEYS', meaning: 'a JSON list of {name, key | sha256, scopes?, acl?, expires_at?, allow_ips?}' },
  { name: 'QUERY_TOKEN', initial: 'on', meaning: 'off: /redis takes no API key from the query' },
  { name: 'NAMESPACES', meaning: 'a JSON list of {name, prefix, ttl?: [[pattern, seconds], ...]}' },
  { name: 'JWT_SECRET', meaning: 'HS256, at least 32 bytes' },
  { name: 'JWT_SECRET_PREVIOUS', meaning: 'the secret before, accepted while rotating' },
  { name: 'JWT_PUBLIC_KEY', meaning: 'RS256, ES256 or EdDSA: a PEM or a JWK' },
  { name: 'JWT_JWKS', meaning: 'several public keys as a JSON Web Key Set, chosen by kid' },
  { name: 'JWT_ISSUER', meaning: 'what iss must be' },
  { name: 'JWT_AUDIENCE', meaning: 'what aud must hold' },
  { name: 'READ_COMMANDS', meaning: 'read-only commands that POST / allows besides its own' },
  { name: 'WRITE_COMMANDS', meaning: 'single-key writes that POST /redis/write allows besides its own' },
  { name: 'WRITE_POLICY', meaning: 'strict: protected fields are never written through POST /redis/write' },
  { name: 'PRIVATE_FIELDS', meaning: 'profile fields that others never see, besides the usual ones' },
  { name: 'PUBLIC_FIELDS', meaning: 'the other way round: the only profile fields that others see' },
  { name: 'EDITABLE_FIELDS', meaning: 'profile fields that users change themselves, besides the usual ones' },
  { name: 'WEBHOOK_SECRET', meaning: 'what webhooks are signed with, at least 32 bytes' },
  { name: 'RECONCILE', initial: 'report', meaning: 'what the timer does about wrong counters: report, mend or off' },
  { name: 'CORS_ORIGINS', initial: '*', meaning: 'which origins may call from a browser' },
  { name: 'LOG_LEVEL', initial: 'info', meaning: 'debug, info, warn, error or off' },
  { name: 'ENVIRONMENT', meaning: 'development opens /debug-auth and shows Redis round trips; never when deployed' },
];

/** The two ways to name a Redis. Exactly one is used. */
const REDIS = ['REDIS_URL'];
const UPSTASH = ['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'];

/**
 * What the Worker gets: each variable from the environment, or else from `.dev.vars`. An empty one counts as not set.
 * A Redis named by the environment replaces whichever way `.dev.vars` names one, since two at a time are an error.
 */
export function workerVariables(environment, devVars) {
  const named = (names) => names.some((name) => environment[name]);
  const overruled = [...(named(REDIS) ? UPSTASH : []), ...(named(UPSTASH) ? REDIS : [])];
  const variables = {};
  for (const { name } of WORKER_VARIABLES) {
    const value = environment[name] ?? (overruled.includes(name) ? undefined : devVars[name]);
    if (value) variables[name] = value;
  }
  return variables;
}

/** Set for builds under a wrangler to which the variables were handed on. */
export const HANDED_ON = 'RIDGE_VARIABLES_HANDED_ON';

/**
 * Those that are set in the environment in vain: `wrangler dev` alone hands the Worker what `.dev.vars` says and nothing of
 * the environment, unless there is no `.dev.vars` and CLOUDFLARE_INCLUDE_PROCESS_ENV is `true`.
 */
export function setInVain(environment, devVars) {
  if (environment.WRANGLER_COMMAND !== 'dev' || environment[HANDED_ON]) return [];
  if (environment.CLOUDFLARE_INCLUDE_PROCESS_ENV === 'true' && Object.keys(devVars).length === 0) return [];
  const names = WORKER_VARIABLES.map(({ name }) => name);
  return names.filter((name) => environment[name] && environment[name] !== devVars[name]);
}

/** Is there a Redis to use already? If not, `npm start` starts one. */
export function namesRedis(variables) {
  return [...REDIS, ...UPSTASH].some((name) => variables[name]);
}
