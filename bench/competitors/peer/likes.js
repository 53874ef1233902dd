// POST and DELETE /posts/:id/like. Three steps, each of which needs to know what the one before has found: is there such a post
// and such a user, did this change anything, and then everything that has to be counted. Someone who bans the post in between
// is not noticed: without a script in Redis that is what this costs.
import { ApiError } from './error.js';
import { redis } from './redis.js';

const WEIGHT = 3;
const POST_ID = /^[A-Za-z0-9_.-]{1,64}$/;

export const like = (c) => mark(c, true);
export const unlike = (c) => mark(c, false);

async function mark(c, on) {
  const id = c.req.param('id');
  if (!POST_ID.test(id)) throw new ApiError(400, 'bad_request', 'Not a post id');
  const { username } = c.get('caller');
  const post = await findPost(c, id, username);
  const message = on ? 'Post liked' : 'Post unliked';
  const set = `post:${id}:likes`;
  const changed = (on ? await redis(c.env).sadd(set, username) : await redis(c.env).srem(set, username)) === 1;
  if (!changed) return c.json({ message, changed, likesCount: post.likesCount });
  const likesCount = await count(c, id, username, post, on);
  return c.json({ message, changed, likesCount });
}

async function findPost(c, id, username) {
  const [[author, role, hashtags, likesCount, banned], user] = await redis(c.env)
    .pipeline()
    .hmget(`post:${id}`, 'username', 'user_role', 'hashtags', 'likesCount', 'banned')
    .hexists(`user:${username}`, 'username')
    .exec();
  if (user !== 1) throw new ApiError(404, 'user_not_found', 'User not found');
  if (author === null || banned !== null) throw new ApiError(404, 'post_not_found', 'Post not found');
  return { author, role, hashtags: hashtags ? hashtags.split(',') : [], likesCount: Number(likesCount) };
}

async function count(c, id, username, { author, role, hashtags }, on) {
  const liked = `user:${username}:liked`;
  const by = on ? WEIGHT : -WEIGHT;
  const pipeline = redis(c.env).pipeline();
  pipeline.hincrby(`post:${id}`, 'likesCount', on ? 1 : -1);
  if (on) pipeline.zadd(liked, { score: Date.now(), member: id });
  else pipeline.zrem(liked, id);
  for (const tag of hashtags) pipeline.zincrby(`hashtag:${tag}:ranked`, by, id);
  const lists = role === 'model' ? ['authors:engagement', 'models:top:engagement'] : ['authors:engagement'];
  for (const list of lists) {
    pipeline.zincrby(list, by, author);
    if (!on) pipeline.zremrangebyscore(list, '-inf', 0);
  }
  const [likesCount] = await pipeline.exec();
  return likesCount;
}
