// The posts, oldest first, each with those who liked, bookmarked and commented it, and with its places in every list.

import { DAY, HOUR, YEAR } from './shape.mjs';
import { hashtags, text } from './words.mjs';

/** A post's popularity decides how often each of these happens to it. On average it is 2.6; the most popular post has 5,000. */
const POPULARITY = { least: 0.6, alpha: 1.3, most: 5_000 };
const SHARES = { likes: 0.8, bookmarks: 0.12, comments: 0.2 };

/** What counts how much: an engagement is a sum of these. */
const WEIGHTS = { likes: 3, comments: 5, bookmarks: 4 };

const BANNED = 0.002;

/** Members of `explore:feed` that are added at once. */
const EXPLORE_CHUNK = 200;

/** Writes `count` posts; returns how many likes, bookmarks, comments and bans there are. */
export async function writePosts({ people, writer, random, count, progress }) {
  const posts = new Posts(people, writer, random);
  const begin = people.now - YEAR;
  for (let post = 0; post < count; post++) {
    // Evenly over the year, but not like a clock. No two at the same time, so the order is the same everywhere.
    const at = begin + Math.floor(((post + random.unit()) * YEAR) / count);
    posts.write(post, Math.max(at, posts.last + 1));
    await writer.breathe();
    progress(post + 1, count);
  }
  posts.flushExplore();
  return posts.totals;
}

class Posts {
  totals = { likes: 0, bookmarks: 0, comments: 0, banned: 0, hashtags: 0 };
  last = 0;
  #explore = [];

  constructor(people, writer, random) {
    Object.assign(this, { people, writer, random });
  }

  write(number, at) {
    const { people, random, totals } = this;
    this.last = at;
    const author = people.shape.author(number, at);
    const tags = hashtags(random);
    const post = {
      id: random.uuid(at),
      at,
      author,
      tags,
      banned: random.chance(BANNED),
      content: [text(random, 3, 20), ...tags.map((tag) => `#${tag}`)].join(' '),
    };
    const counts = this.#interactions(post);
    this.#hash(post, counts);
    if (post.banned) this.#ban(post);
    else this.#lists(post, engagement(counts));
    totals.hashtags += tags.length;
    for (const what of Object.keys(counts)) totals[what] += counts[what];
  }

  #interactions(post) {
    const { random, people } = this;
    const { least, alpha, most } = POPULARITY;
    const popularity = Math.min(random.pareto(least, alpha), most, people.count / 2);
    const times = (share) => Math.floor(popularity * share + random.unit());
    return {
      likes: this.#marks(post, times(SHARES.likes), 'likes', 'liked', people.likes),
      bookmarks: this.#marks(post, times(SHARES.bookmarks), 'bookmarks', 'bookmarked', people.bookmarks),
      comments: this.#comments(post, times(SHARES.comments)),
    };
  }

  /** A set of users beside the post, and in each user's list the post; while it is banned that is another list. */
  #marks({ id, at, banned }, wanted, set, list, counted) {
    const { people, random, writer } = this;
    const users = random.different(wanted, () => random.skewed(people.count, 1.3));
    if (users.size === 0) return 0;
    writer.add('SADD', `post:${id}:${set}`, ...[...users].map((user) => people.username(user)));
    for (const user of users) {
      const when = random.between(Math.max(at, people.joined(user)), people.now);
      writer.add('ZADD', `user:${people.username(user)}:${list}${banned ? ':banned' : ''}`, when, id);
      counted[user] += 1;
    }
    return users.size;
  }

  #comments({ id, at }, count) {
    const { people, random, writer } = this;
    for (let n = 0; n < count; n++) {
      const user = random.skewed(people.count, 1.3);
      const name = people.username(user);
      const when = random.between(Math.max(at, people.joined(user)), people.now);
      const comment = random.uuid(when);
      const fields = { id: comment, post_id: id, user_id: name, content: text(random, 2, 15), created_at: when };
      writer.add('HSET', `comment:${comment}`, ...Object.entries(fields).flat());
      writer.add('ZADD', `post:${id}:comments`, when, comment);
      writer.add('ZADD', `user:${name}:comments`, when, comment);
    }
    return count;
  }

  #hash({ id, at, author, tags, content, banned }, { likes, bookmarks, comments }) {
    const { people, random, writer } = this;
    const name = people.username(author);
    const fields = {
      id,
      user_id: name,
      username: name,
      avatar: people.avatar(author),
      display_name: people.displayName(author),
      user_role: people.roles[author],
      content,
      media_url: random.chance(0.3) ? `https://cdn.example.com/media/${id}.webp` : '',
      hashtags: tags.join(','),
      created_at: at,
      likesCount: likes,
      commentsCount: comments,
      bookmarksCount: bookmarks,
      viewsCount: likes * (3 + random.below(20)) + random.below(10),
    };
    if (banned) Object.assign(fields, { banned: 'true', banned_at: this.#bannedAt(at), banned_by: people.admin() });
    writer.add('HSET', `post:${id}`, ...Object.entries(fields).flat());
  }

  /** An hour after the post: its hash and the list of all banned posts agree without being told. */
  #bannedAt(at) {
    return Math.min(at + 3_600_000, this.people.now);
  }

  #ban({ id, at, author }) {
    const { people, writer, totals } = this;
    writer.add('ZADD', 'posts:banned', this.#bannedAt(at), id);
    writer.add('ZADD', `user:${people.username(author)}:banned`, at, id);
    totals.banned += 1;
  }

  #lists({ id, at, author, tags }, points) {
    const { people, writer } = this;
    this.#explore.push(at, id);
    if (this.#explore.length >= 2 * EXPLORE_CHUNK) this.flushExplore();
    writer.add('ZADD', `user:${people.username(author)}:posts`, at, id);
    for (const tag of tags) {
      writer.add('ZADD', `hashtag:${tag}:posts`, at, id);
      writer.add('ZADD', `hashtag:${tag}:ranked`, points, id);
      for (const { key, ends } of recentRankings(tag, at)) {
        if (ends <= people.now) continue;
        writer.add('ZADD', key, points, id);
        writer.add('PEXPIRE', key, ends - people.now, 'NX');
      }
    }
    people.posts[author] += 1;
    people.engagement[author] += points;
  }

  flushExplore() {
    if (this.#explore.length > 0) this.writer.add('ZADD', 'explore:feed', ...this.#explore.splice(0));
  }
}

/** The rankings of the post's hour and day, and when they end: two days and fifteen days after it. */
function recentRankings(tag, at) {
  const [hour, day] = [Math.floor(at / HOUR), Math.floor(at / DAY)];
  return [
    { key: `hashtag:${tag}:ranked:h${hour}`, ends: (hour + 1) * HOUR + 2 * DAY },
    { key: `hashtag:${tag}:ranked:d${day}`, ends: (day + 1) * DAY + 15 * DAY },
  ];
}

function engagement(counts) {
  return Object.entries(WEIGHTS).reduce((sum, [what, weight]) => sum + counts[what] * weight, 0);
}
