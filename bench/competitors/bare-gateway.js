// The floor of the gateway: a Worker that puts the upstream's token in the place of the caller's and passes all else on, the
// body as the stream that it came as. What Ridge costs above it is the price of looking.

export default {
  fetch(request, env) {
    const below = request.url.slice(request.url.indexOf('/redis', 8) + '/redis'.length);
    const onwards = new Request(env.UPSTASH_REDIS_REST_URL + below, request);
    onwards.headers.set('authorization', `Bearer ${env.UPSTASH_REDIS_REST_TOKEN}`);
    return fetch(onwards);
  },
};
