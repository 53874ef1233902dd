// A whole data set, as the social routes would have written it: every counter equals what it counts.

import { bar, step } from '../progress.mjs';
import { writeFollows } from './follows.mjs';
import { People } from './people.mjs';
import { writePosts } from './posts.mjs';
import { Random } from './random.mjs';
import { longTail } from './shape.mjs';
import { Writer } from './writer.mjs';

/** The bar is drawn a few times a second; there is no need to make it anew for each of a million posts. */
const PROGRESS_EVERY = 500;

/**
 * Writes it and returns what there is: `people`, and `totals` of follows, likes, bookmarks, comments, banned posts and uses of
 * hashtags. The same `plan` gives the same data: `{users, posts, seed, prefix, now (ms), shape}`, see shape.mjs for the last.
 */
export async function writeDataset(redis, { users, posts, seed, prefix, now, shape = longTail }) {
  const random = (name) => new Random(`${seed}:${prefix}`, name);
  const people = new People({
    users,
    prefix,
    now,
    shape: shape({ users, posts, now, random: random('shape') }),
    random: random('people'),
  });
  const phase = (title, work) =>
    step(title, async (detail) => {
      const writer = new Writer(redis);
      const progress = (done, all) => done % PROGRESS_EVERY === 0 && detail(bar(done, all));
      const result = await work({ people, writer, progress });
      await writer.finish();
      return result;
    });
  const number = (n) => n.toLocaleString('en');
  await phase(`${number(users)} users`, ({ writer, progress }) => people.writeProfiles(writer, progress));
  const follows = await phase('follows', (tools) => writeFollows({ ...tools, random: random('follows') }));
  const counted = await phase(`${number(posts)} posts`, (tools) =>
    writePosts({ ...tools, random: random('posts'), count: posts }),
  );
  await phase('counters', ({ writer, progress }) => people.writeCounts(writer, progress));
  return { people, totals: { follows, ...counted } };
}
