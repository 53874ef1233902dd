// The peer: the same routes and checks, written the way a good JavaScript developer would today, with hono, jose and
// @upstash/redis. It is meant to be hard to beat: whatever can be made once per isolate is made once (the imported JWT key,
// the key's digest, the client), the SDK's base64 and JSON decoding are off because a proxy has no use for them, and it
// logs nothing.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { requestId } from 'hono/request-id';
import { anyCaller, apiKeyCaller, maybeCaller } from './auth.js';
import { ApiError } from './error.js';
import { explore, following, hashtag, ranked } from './feeds.js';
import { like, unlike } from './likes.js';
import { read } from './read.js';
import { showUser } from './users.js';
import { write } from './write.js';

const MAX_BODY = 1 << 20;

const app = new Hono();

app.use(requestId({ limitLength: 64 }));
app.use(cors());
app.use(async (c, next) => {
  c.header('Cache-Control', 'no-store');
  await next();
});

const limit = bodyLimit({
  maxSize: MAX_BODY,
  onError: () => {
    throw new ApiError(413, 'body_too_large', 'The body is larger than 1 MiB');
  },
});

app.post('/', apiKeyCaller, limit, read);
app.post('/redis/write', apiKeyCaller, limit, write);
app.get('/users/:id', anyCaller, showUser);
app.get('/feed/explore', maybeCaller, explore);
app.get('/feed/following', anyCaller, following);
app.get('/feed/hashtag/:tag', anyCaller, hashtag);
app.get('/feed/hashtag/:tag/ranked', anyCaller, ranked);
app.post('/posts/:id/like', anyCaller, like);
app.delete('/posts/:id/like', anyCaller, unlike);
app.on(['GET', 'POST'], '/whoami', anyCaller, (c) => {
  const { kind, username, role, claims } = c.get('caller');
  return c.json({
    jwt_payload: claims ?? null,
    caller: { kind, username, role },
    resolved_user_key: `user:${username}`,
  });
});

app.notFound((c) => c.json({ error: 'Not found', code: 'not_found', requestId: c.get('requestId') }, 404));

app.onError((error, c) => {
  const known = error instanceof ApiError ? error : new ApiError(503, 'redis_unavailable', 'Redis cannot be reached');
  if (known.status === 401) c.header('WWW-Authenticate', 'Bearer');
  const { message, code, extra } = known;
  return c.json({ error: message, code, ...extra, requestId: c.get('requestId') }, known.status);
});

export default app;
