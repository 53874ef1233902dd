// The order of a ranked feed at a moment. Engagement and age are each in a list of their own: both are walked from the top, a
// chunk of each at a time, until nothing unseen can be better than what is there.
import { redis } from './redis.js';

const CHUNK = 500;
const HOUR = 3_600_000;
const OLDEST = 14 * 24 * HOUR;

/** The ids of the first `count` places, and how many there are in all. */
export async function rankedIds(c, tag, now, count) {
  const [posts, ranked] = [`hashtag:${tag}:posts`, `hashtag:${tag}:ranked`];
  const seen = new Map(); // id → {engagement, at}
  for (let from = 0; ; from += CHUNK) {
    const [best, newest, totalCount] = await redis(c.env)
      .pipeline()
      .zrange(ranked, from, from + CHUNK - 1, { rev: true, withScores: true })
      .zrange(posts, from, from + CHUNK - 1, { rev: true, withScores: true })
      .zcard(posts)
      .exec();
    note(seen, best, 'engagement');
    note(seen, newest, 'at');
    await complete(c, seen, posts, ranked);
    const order = [...seen]
      .map(([id, { engagement, at }]) => ({ id, at, score: score(engagement, at, now) }))
      .sort((a, b) => b.score - a.score || b.at - a.at);
    const unseen = score(Number(best.at(-1) ?? 0), Number(newest.at(-1) ?? 0), now);
    const enough = order.length >= count && order[count - 1].score >= unseen;
    if (enough || from + CHUNK >= totalCount) return { ids: order.slice(0, count).map(({ id }) => id), totalCount };
  }
}

function score(engagement, at, now) {
  const age = Math.max(0, now - at);
  return age > OLDEST ? 0 : engagement / (age / HOUR + 1);
}

function note(seen, flat, what) {
  for (let i = 0; i < flat.length; i += 2) {
    const entry = seen.get(flat[i]);
    if (entry) entry[what] = Number(flat[i + 1]);
    else seen.set(flat[i], { [what]: Number(flat[i + 1]) });
  }
}

/** Each list knows half: the other half of what was seen in one only. */
async function complete(c, seen, posts, ranked) {
  const without = (what) => [...seen].filter(([, entry]) => entry[what] === undefined).map(([id]) => id);
  const [ageless, rankless] = [without('at'), without('engagement')];
  const pipeline = redis(c.env).pipeline();
  if (ageless.length > 0) pipeline.zmscore(posts, ageless);
  if (rankless.length > 0) pipeline.zmscore(ranked, rankless);
  if (pipeline.length() === 0) return;
  const replies = await pipeline.exec();
  const fill = (ids, what) => {
    if (ids.length === 0) return;
    const scores = replies.shift();
    ids.forEach((id, i) => (seen.get(id)[what] = Number(scores[i] ?? 0)));
  };
  fill(ageless, 'at');
  fill(rankless, 'engagement');
}
