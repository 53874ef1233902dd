// The data sets: the same community at a hundredth of its size and whole, so that growth shows; and the reader for whom a
// feed is dearest, who follows very many, each with very many posts.
import { writeDataset } from '../../scripts/seed/dataset.mjs';
import { DAY, YEAR } from '../../scripts/seed/shape.mjs';
import { connectRedis } from '../../scripts/connection.mjs';
import { note } from '../../scripts/progress.mjs';
import { fanInFacts, facts } from './facts.mjs';

export const SMALL = 'small';
export const FULL = 'full';
export const FAN_IN = 'fan-in';

const SEED = 1;
const PREFIX = 'user';

/** What each is made of. `prepare` fills a Redis with it and returns who and what the cases ask for. */
export function sizes({ users, posts, factor, authors }) {
  const part = (n) => Math.max(2, Math.round(n / factor));
  return {
    [SMALL]: dataset(SMALL, { users: part(users), posts: part(posts) }, facts),
    [FULL]: dataset(FULL, { users, posts }, facts),
    // One who reads, one who is an admin, and the authors, who have as many posts each as there are authors.
    [FAN_IN]: dataset(FAN_IN, { users: authors + 2, posts: authors * authors, shape: fanIn(authors) }, fanInFacts),
  };
}

function dataset(name, plan, factsOf) {
  return {
    plan,
    prepare: async ({ redis: { url } }) => {
      note(`\n${name}:`);
      const redis = await connectRedis(url);
      try {
        const data = await writeDataset(redis, { ...plan, seed: SEED, prefix: PREFIX, now: Date.now() });
        return await factsOf(redis, data);
      } finally {
        redis.close();
      }
    },
  };
}

/** Users 0 to authors − 1 write, each exactly as much as the others and in no order; the next one follows them all. */
function fanIn(authors) {
  return ({ posts, now, random }) => {
    const deck = Uint32Array.from({ length: posts }, (_, post) => post % authors);
    for (let left = deck.length; left > 1; left--) {
      const drawn = random.below(left);
      [deck[left - 1], deck[drawn]] = [deck[drawn], deck[left - 1]];
    }
    return {
      joined: (user) => now - YEAR - DAY + user,
      author: (post) => deck[post],
      followed: (user) => new Set(user === authors ? Array.from({ length: authors }, (_, author) => author) : []),
    };
  };
}
