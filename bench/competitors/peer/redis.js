import { Redis } from '@upstash/redis/cloudflare';

let client;

/** The isolate's one client. Values come as Redis has them: neither base64 on the wire nor guessed to be JSON. */
export function redis(env) {
  client ??= new Redis({
    url: env.UPSTASH_REDIS_REST_URL,
    token: env.UPSTASH_REDIS_REST_TOKEN,
    automaticDeserialization: false,
    responseEncoding: false,
  });
  return client;
}

/** HGETALL's flat reply as an object. */
export function toObject(flat) {
  const object = {};
  for (let i = 0; i < flat.length; i += 2) object[flat[i]] = flat[i + 1];
  return object;
}
