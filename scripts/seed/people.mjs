// The users: what is known of each without asking Redis, and what has to be counted until their profiles are right.

import { FIRST_NAMES, LAST_NAMES, text } from './words.mjs';

const MODELS = 0.05;
const ADMINS = 0.0005;

export class People {
  /** `shape` as in shape.mjs. Everyone's counters begin at 0. */
  constructor({ users, prefix, now, shape, random }) {
    Object.assign(this, { count: users, prefix, now, shape, random });
    this.roles = Array.from({ length: users }, () => role(random.unit()));
    this.roles[users - 1] = 'admin'; // someone must have banned what is banned
    this.posts = new Uint32Array(users);
    this.followers = new Uint32Array(users);
    this.following = new Uint32Array(users);
    this.likes = new Uint32Array(users);
    this.bookmarks = new Uint32Array(users);
    this.engagement = new Float64Array(users);
  }

  username(user) {
    return `${this.prefix}${String(user).padStart(6, '0')}`;
  }

  /** Some have none, and no avatar. */
  displayName(user) {
    return user % 33 === 7 ? '' : `${firstName(user)} ${lastName(user)}`;
  }

  avatar(user) {
    return user % 10 === 3 ? '' : `https://cdn.example.com/avatars/${this.username(user)}.webp`;
  }

  joined(user) {
    return this.shape.joined(user);
  }

  admin() {
    return this.username(this.count - 1);
  }

  /** Everyone's profile with counters at 0, and the registries. */
  async writeProfiles(writer, progress) {
    for (let user = 0; user < this.count; user++) {
      const name = this.username(user);
      writer.add('HSET', `user:${name}`, ...Object.entries(this.profile(user)).flat());
      if (this.roles[user] === 'user') writer.add('ZADD', 'users:regular', this.joined(user), name);
      if (this.roles[user] === 'model') writer.add('ZADD', 'users:models', this.joined(user), name);
      await writer.breathe();
      progress(user + 1, this.count);
    }
  }

  /** What was counted since. */
  async writeCounts(writer, progress) {
    for (let user = 0; user < this.count; user++) {
      const name = this.username(user);
      const counts = {
        postCount: this.posts[user],
        followerCount: this.followers[user],
        followingCount: this.following[user],
      };
      writer.add('HSET', `user:${name}`, ...Object.entries(counts).flat());
      const engagement = this.engagement[user];
      if (engagement > 0) writer.add('ZADD', 'authors:engagement', engagement, name);
      if (engagement > 0 && this.roles[user] === 'model') writer.add('ZADD', 'models:top:engagement', engagement, name);
      await writer.breathe();
      progress(user + 1, this.count);
    }
  }

  /** Public fields, and some that are the user's own. What someone does not have is not stored. */
  profile(user) {
    const name = this.username(user);
    const { random } = this;
    const joined = this.joined(user);
    const fields = {
      username: name,
      display_name: this.displayName(user),
      avatar: this.avatar(user),
      role: this.roles[user],
      postCount: 0,
      followerCount: 0,
      followingCount: 0,
      created_at: joined,
      bio: random.chance(0.8) ? text(random, 3, 12) : '',
      links: random.chance(0.3) ? `https://example.com/${name}` : '',
      first_name: firstName(user),
      last_name: lastName(user),
      email: `${name}@example.com`,
      phone_number: random.chance(0.4) ? `+49151${String(random.below(1e8)).padStart(8, '0')}` : '',
      birth_date: random.chance(0.5) ? `${1960 + random.below(45)}-0${1 + random.below(9)}-1${random.below(10)}` : '',
      language: random.pick(['en', 'de', 'es', 'fr', 'pt', 'ja']),
      last_login: random.between(joined, this.now),
    };
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
  }
}

function role(share) {
  if (share < ADMINS) return 'admin';
  return share < ADMINS + MODELS ? 'model' : 'user';
}

const firstName = (user) => FIRST_NAMES[user % FIRST_NAMES.length];
const lastName = (user) => LAST_NAMES[(user * 7) % LAST_NAMES.length];
