// The independent server of Upstash's REST API on npm, in front of a Redis over TCP, as a process of its own. Its own
// `server.js` listens on every interface and on a port that must be known beforehand; this does neither.
//
// Started with fork(): `node npm.mjs <redis-url> <token>`; sends {port} when ready.
import { serve } from '@hono/node-server';
import { createApp } from '@humanwhocodes/upstash-redis-server';

const [redisUrl, token] = process.argv.slice(2);
const { fetch } = createApp({ token, redisUrl });
serve({ fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => process.send({ port }));
process.on('disconnect', () => process.exit(0));
