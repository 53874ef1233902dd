// What is asked. A case has, for the facts of a data set, its `tours`: what each connection asks, again and again. `check`
// throws if an answer is wrong. Where `moves` is set the answer changes with time, so under load its length is not looked at.
import assert from 'node:assert/strict';
import { token } from '../secrets.mjs';
import { FAN_IN, FULL, SMALL } from './sizes.mjs';

const BOTH = ['ridge', 'peer'];
const RIDGE = ['ridge'];
const LIMIT = 20;

const ask = (method, path, viewer) => ({ method, path, headers: viewer ? { authorization: bearer(viewer) } : {} });
const get = (path, viewer) => ask('GET', path, viewer);

const tokens = new Map();
function bearer(viewer) {
  if (!tokens.has(viewer)) tokens.set(viewer, `Bearer ${token(viewer)}`);
  return tokens.get(viewer);
}

/** Each viewer asks one thing, on a connection of their own. */
const each = (path) => (facts) => facts.viewers.map((viewer) => [get(path(facts), viewer)]);

/** Many things in turns: each connection has its share of them. */
const turns = (list, path) => (facts) => {
  const tours = facts.viewers.map(() => []);
  facts[list].forEach((item, i) => {
    const at = i % tours.length;
    tours[at].push(get(path(item), facts.viewers[at]));
  });
  return tours.filter((tour) => tour.length > 0);
};

const tag = ({ tags }) => encodeURIComponent(tags[0]);

export const CASES = [
  feed('explore', BOTH, each(() => `/feed/explore?limit=${LIMIT}`), chronological),
  feed('explore-anonymous', BOTH, () => [[get(`/feed/explore?limit=${LIMIT}`)]], chronological),
  feed('explore-deep', BOTH, each(() => `/feed/explore?limit=${LIMIT}&offset=5000`), chronological),
  feed('following', BOTH, each(() => `/feed/following?limit=${LIMIT}`), chronological),
  { ...feed('following-fan-in', BOTH, each(() => `/feed/following?limit=${LIMIT}`), chronological), sizes: [FAN_IN] },
  feed('hashtag', BOTH, each((facts) => `/feed/hashtag/${tag(facts)}?limit=${LIMIT}`), chronological),
  { ...feed('ranked', BOTH, each((facts) => `/feed/hashtag/${tag(facts)}/ranked?limit=${LIMIT}`), full), moves: true },
  feed('user-posts', RIDGE, each(({ busiest }) => `/users/${busiest}/posts?limit=${LIMIT}`), chronological),
  feed('liked', RIDGE, own('likers', 'liked'), all(({ post }) => post.isLiked)),
  feed('bookmarked', RIDGE, own('bookmarkers', 'bookmarked'), all(({ post }) => post.isBookmarked)),
  one('post', turns('posts', (id) => `/posts/${id}`), ({ post, user }) => assert.equal(post.user_id, user.username)),
  one('comments', turns('discussed', (id) => `/posts/${id}/comments?limit=${LIMIT}`), ({ comments }) =>
    assert.ok(comments.length > 0 && comments.every(({ user }) => user.username)),
  ),
  one('followers', each(({ mostFollowed }) => `/users/${mostFollowed}/followers?limit=${LIMIT}`), ({ users }) =>
    assert.equal(users.length, LIMIT),
  ),
  one('search-newest', each(() => `/search/users/newest?role=user&limit=${LIMIT}`), ({ users }) =>
    assert.equal(users.length, LIMIT),
  ),
  one('search-models', each(() => '/search/models/top?limit=10'), ({ models }) => assert.equal(models.length, 10)),
  { ...one('search-top-posts', each(topPostsOf), topPosts), moves: true },
  {
    name: 'like',
    competitors: BOTH,
    sizes: [SMALL, FULL],
    // Liked and unliked in turns, so everything is as before after each tour.
    tours: ({ liking }) =>
      liking.map(({ viewer, post }) => ['POST', 'DELETE'].map((method) => ask(method, `/posts/${post}/like`, viewer))),
    check: ({ message, changed }, { method }) => {
      assert.equal(message, method === 'POST' ? 'Post liked' : 'Post unliked');
      assert.equal(changed, true);
    },
  },
];

function feed(name, competitors, tours, check) {
  return { name, competitors, sizes: [SMALL, FULL], tours, check };
}

function one(name, tours, check) {
  return feed(name, RIDGE, tours, check);
}

/** The users of that list, each asking for their own. */
function own(list, path) {
  return (facts) => facts[list].map((user) => [get(`/users/me/${path}?limit=${LIMIT}`, user)]);
}

function full({ posts, pagination }) {
  assert.equal(posts.length, LIMIT);
  assert.equal(pagination.count, LIMIT);
  assert.equal(pagination.hasMore, true);
  for (const { post, user } of posts) assert.equal(post.user_id, user.username);
}

function chronological(answer) {
  full(answer);
  const times = answer.posts.map(({ post }) => post.created_at);
  assert.deepEqual(times, [...times].sort((a, b) => b - a));
}

function all(condition) {
  return (answer) => {
    assert.ok(answer.posts.length > 0);
    assert.ok(answer.posts.every(condition));
  };
}

function topPostsOf({ tags }) {
  return `/search/hashtags/top-posts?hashtags=${tags.map(encodeURIComponent)}`;
}

function topPosts({ hashtags }) {
  for (const [tag, entries] of Object.entries(hashtags)) {
    assert.equal(entries.length, 5);
    for (const { post } of entries) assert.ok(post.hashtags.includes(tag));
  }
}
