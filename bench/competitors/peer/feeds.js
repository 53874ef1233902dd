// The feeds, with pipelines: which posts, then the posts, then their authors, each knowing what the one before has found.
import { ApiError } from './error.js';
import { whole } from './posts.js';
import { rankedIds } from './ranked.js';
import { redis } from './redis.js';

const USUAL_LIMIT = 20;
const LARGEST_LIMIT = 100;
const HASHTAG = /^[\p{L}\p{N}_]{1,64}$/u;

export const explore = (c) => chronological(c, 'explore:feed');

export const hashtag = (c) => chronological(c, `hashtag:${tagOf(c)}:posts`);

async function chronological(c, key) {
  const page = pageOf(c);
  const pipeline = redis(c.env).pipeline();
  addRange(pipeline, key, page, page.limit);
  const [flat, totalCount] = await pipeline.zcard(key).exec();
  const places = placesOf(flat);
  const posts = await whole(c, idsOf(places), viewerOf(c));
  const hasMore = page.cursor === null ? page.offset + places.length < totalCount : places.length === page.limit;
  return answer(c, page, posts, { totalCount, hasMore, last: places.at(-1) });
}

/** Everyone's newest posts at once; more than a page of each cannot be needed. */
export async function following(c) {
  const page = pageOf(c);
  const { username } = c.get('caller');
  const followed = await redis(c.env).smembers(`user:${username}:following`);
  if (followed.length === 0) return answer(c, page, [], { hasMore: false });
  const pipeline = redis(c.env).pipeline();
  const first = page.cursor === null ? page.offset : 0;
  // One more than the page shows whether there are more.
  for (const user of followed) addRange(pipeline, `user:${user}:posts`, { ...page, offset: 0 }, first + page.limit + 1);
  const lists = await pipeline.exec();
  const all = lists.flatMap((flat, i) => placesOf(flat, followed[i]));
  all.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  const places = all.slice(first, first + page.limit);
  const authors = places.map(({ author }) => author);
  const posts = await whole(c, idsOf(places), username, authors);
  return answer(c, page, posts, { hasMore: all.length > first + page.limit, last: places.at(-1) });
}

/** The newest `count` behind an offset, or before the moment of a cursor. */
function addRange(pipeline, key, { offset, cursor }, count) {
  if (cursor === null) pipeline.zrange(key, offset, offset + count - 1, { rev: true, withScores: true });
  else pipeline.zrange(key, `(${cursor}`, '-inf', { rev: true, byScore: true, withScores: true, offset: 0, count });
}

export async function ranked(c) {
  const page = pageOf(c);
  const now = page.cursor ?? Date.now();
  const { ids, totalCount } = await rankedIds(c, tagOf(c), now, page.offset + page.limit);
  const posts = await whole(c, ids.slice(page.offset), viewerOf(c));
  const hasMore = page.offset + page.limit < totalCount;
  return answer(c, page, posts, { totalCount, hasMore, last: { at: now } });
}

function answer(c, { offset, limit, includeUser }, posts, { totalCount, hasMore, last }) {
  const nextCursor = hasMore && last ? btoa(String(last.at)).replaceAll('=', '') : null;
  const pagination = { offset, limit, count: posts.length, totalCount, hasMore, nextCursor };
  return c.json({ posts: includeUser ? posts : posts.map(({ post }) => ({ post })), pagination });
}

const viewerOf = (c) => c.get('caller')?.username;

function tagOf(c) {
  const tag = c.req.param('tag').toLowerCase();
  if (!HASHTAG.test(tag)) throw new ApiError(400, 'bad_request', 'Not a hashtag');
  return tag;
}

function pageOf(c) {
  const { limit = USUAL_LIMIT, offset = 0, cursor, includeUser } = c.req.query();
  const page = { limit: Number(limit), offset: Number(offset), cursor: null, includeUser: includeUser !== 'false' };
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > LARGEST_LIMIT)
    throw new ApiError(400, 'bad_request', `limit must be 1 to ${LARGEST_LIMIT}`);
  if (!Number.isInteger(page.offset) || page.offset < 0)
    throw new ApiError(400, 'bad_request', 'offset must be 0 or more');
  if (cursor !== undefined) page.cursor = momentOf(cursor);
  return page;
}

function momentOf(cursor) {
  let at = Number.NaN;
  try {
    at = Number(atob(cursor));
  } catch {
    // not base64, so no cursor of ours
  }
  if (!Number.isInteger(at)) throw new ApiError(400, 'bad_request', 'Not a cursor');
  return at;
}

/** ZRANGE's flat reply with scores. */
function placesOf(flat, author) {
  const places = [];
  for (let i = 0; i < flat.length; i += 2) places.push({ id: flat[i], at: Number(flat[i + 1]), author });
  return places;
}

const idsOf = (places) => places.map(({ id }) => id);
