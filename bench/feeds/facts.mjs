// Who asks, and for what: chosen from a data set so that a small and a large one are asked for the same kind of thing.
import { VOCABULARY } from '../../scripts/seed/words.mjs';

/** Everyone who asks follows about so many. */
const FOLLOWED = 20;
const VIEWERS = 8;

/** So many different posts are shown in turns: one alone would be in every cache. */
const SHOWN = 80;

/** As many as may be asked for at once. */
const TAGS = 12;

/** Of each post that is liked: hashtags, whose ranking changes with it. */
const TAGS_OF_LIKED = 2;

export async function facts(redis, { people }) {
  const viewers = ordinary(people);
  const tags = VOCABULARY.slice(0, TAGS);
  const posts = await spread(redis, SHOWN);
  return {
    viewers,
    tags,
    posts,
    busiest: people.username(most(people.posts)),
    mostFollowed: people.username(most(people.followers)),
    likers: topUsers(people, people.likes),
    bookmarkers: topUsers(people, people.bookmarks),
    discussed: await members(redis, ['ZRANGE', `hashtag:${tags[0]}:ranked`, 0, VIEWERS - 1, 'REV']),
    liking: await unliked(redis, viewers),
  };
}

/** The one who follows all, by the number of follows. */
export function fanInFacts(_redis, { people }) {
  return { viewers: [people.username(most(people.following))] };
}

/** Those who follow nearest to the usual number of people. */
function ordinary(people) {
  const off = (user) => Math.abs(people.following[user] - FOLLOWED);
  const users = Array.from(people.roles.keys()).filter((user) => people.roles[user] === 'user');
  return users.sort((a, b) => off(a) - off(b) || a - b).slice(0, VIEWERS).map((user) => people.username(user));
}

function topUsers(people, counts) {
  const users = Array.from(counts.keys()).sort((a, b) => counts[b] - counts[a]);
  return users.slice(0, VIEWERS).map((user) => people.username(user));
}

function most(counts) {
  return counts.reduce((best, count, user) => (count > counts[best] ? user : best), 0);
}

/** Posts of all ages, at equal distances in the list of all. */
async function spread(redis, count) {
  const [all] = await redis.run([['ZCARD', 'explore:feed']]);
  const places = Array.from({ length: Math.min(count, all) }, (_, n) => Math.floor((n * all) / count));
  const found = await redis.run(places.map((place) => ['ZRANGE', 'explore:feed', place, place]));
  return found.map(([id]) => id.toString());
}

/** For each viewer a post with the usual number of hashtags that they have not liked. */
async function unliked(redis, viewers) {
  const candidates = await spread(redis, 40 * viewers.length);
  const pairs = [];
  for (const id of candidates) {
    const viewer = viewers[pairs.length];
    if (viewer === undefined) break;
    const [[tags, author], liked] = await redis.run([
      ['HMGET', `post:${id}`, 'hashtags', 'user_id'],
      ['SISMEMBER', `post:${id}:likes`, viewer],
    ]);
    const fits = tags.toString().split(',').filter(Boolean).length === TAGS_OF_LIKED;
    if (fits && liked === 0 && author.toString() !== viewer) pairs.push({ viewer, post: id });
  }
  return pairs;
}

async function members(redis, command) {
  const [list] = await redis.run([command]);
  return list.map(String);
}
