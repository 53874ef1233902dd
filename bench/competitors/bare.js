// The floor: a Worker that checks nothing and understands nothing. What it costs is the runtime's own price for one request
// in, one request out, and whatever a gateway costs above it is the price of its checks.

const WHOAMI = JSON.stringify({
  jwt_payload: { username: 'viewer', role: 'user' },
  caller: { kind: 'user', username: 'viewer', role: 'user' },
  resolved_user_key: 'user:viewer',
});

/** One request to the upstream; `body` may be the caller's own stream, passed on unread. */
function pipeline(env, body) {
  return fetch(`${env.UPSTASH_REDIS_REST_URL}/pipeline`, {
    method: 'POST',
    headers: { authorization: `Bearer ${env.UPSTASH_REDIS_REST_TOKEN}` },
    body,
  });
}

export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (request.method === 'POST') return pipeline(env, request.body);
    if (pathname.startsWith('/users/')) {
      const id = pathname.slice('/users/'.length);
      return pipeline(
        env,
        JSON.stringify([
          ['HGETALL', `user:${id}`],
          ['SISMEMBER', 'user:viewer:following', id],
        ]),
      );
    }
    return new Response(WHOAMI, { headers: { 'content-type': 'application/json' } });
  },
};
