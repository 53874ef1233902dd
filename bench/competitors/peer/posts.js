// Posts and their authors as JSON: a page of ids in, the same page whole out.
import { redis, toObject } from './redis.js';
import { view } from './users.js';

const COUNTS = ['created_at', 'likesCount', 'commentsCount', 'bookmarksCount', 'viewsCount'];

/**
 * The posts of a page with their authors. `authors`, if they are known beforehand, spare a round trip: else they can only be
 * asked for when the posts are there. What was deleted meanwhile is left out.
 */
export async function whole(c, ids, viewer, authors) {
  if (ids.length === 0) return [];
  const pipeline = redis(c.env).pipeline();
  for (const id of ids) pipeline.hgetall(`post:${id}`);
  // One command for a whole page's hearts, not one for each.
  if (viewer) pipeline.zmscore(`user:${viewer}:liked`, ids).zmscore(`user:${viewer}:bookmarked`, ids);
  const known = [...new Set(authors)];
  for (const author of known) pipeline.hgetall(`user:${author}`);
  const replies = await pipeline.exec();
  const stored = replies.splice(0, ids.length);
  const [liked, bookmarked] = viewer ? replies.splice(0, 2) : [];
  const posts = stored.flatMap((flat, i) =>
    flat.length > 0 ? [postOf(toObject(flat), marked(liked, i), marked(bookmarked, i))] : [],
  );
  const profiles = authors
    ? profilesOf(known, replies)
    : await askProfiles(c, [...new Set(posts.map(({ user_id }) => user_id))]);
  return posts
    .filter(({ user_id }) => profiles.has(user_id))
    .map((post) => ({ post, user: view(profiles.get(post.user_id), false) }));
}

const marked = (scores, i) => scores !== undefined && scores !== null && scores[i] !== null;

async function askProfiles(c, names) {
  const pipeline = redis(c.env).pipeline();
  for (const name of names) pipeline.hgetall(`user:${name}`);
  return profilesOf(names, names.length > 0 ? await pipeline.exec() : []);
}

function profilesOf(names, replies) {
  return new Map(names.flatMap((name, i) => (replies[i].length > 0 ? [[name, toObject(replies[i])]] : [])));
}

function postOf(stored, isLiked, isBookmarked) {
  const { hashtags, ...post } = stored;
  for (const name of COUNTS) post[name] = Number(post[name]);
  return { ...post, hashtags: hashtags ? hashtags.split(',') : [], isLiked, isBookmarked };
}
