// What is in Redis when the cases run: registered users, each with a profile of sixteen fields of the same length, so that
// a command costs the same whichever user it names.

/** The first of them are only read, the others only written, so that no case changes another's answers. */
export const READ_ONLY = 100;
export const USERS = READ_ONLY + 1000;
export const VIEWER = 'viewer';

export const username = (n) => `bench${String(n).padStart(4, '0')}`;

/** The profile that is stored under `user:<username(n)>`: protected, public and private fields. */
export function profile(n) {
  const name = username(n);
  return {
    username: name,
    display_name: `Bench User ${String(n).padStart(4, '0')}`,
    avatar: `https://cdn.example.com/avatars/${name}.webp`,
    role: 'user',
    postCount: '12',
    followerCount: '345',
    followingCount: '67',
    created_at: '1750000000000',
    bio: 'Walks far, reads much, takes pictures of bridges.',
    links: 'https://example.com/me',
    first_name: 'Bench',
    last_name: 'User',
    email: `${name}@example.com`,
    phone_number: '+4915112345678',
    language: 'en',
    last_login: '1763000000000',
  };
}

/** Fills Redis through the upstream; returns when all is in. */
export async function fill(upstream) {
  const all = Array.from({ length: USERS }, (_, n) => n);
  await upstream.run(all.map((n) => ['HSET', `user:${username(n)}`, ...Object.entries(profile(n)).flat()]));
  await upstream.run([
    [
      'HSET',
      `user:${VIEWER}`,
      'username',
      VIEWER,
      'display_name',
      'Viewer',
      'avatar',
      '',
      'role',
      'user',
      'created_at',
      '1750000000000',
    ],
    ['SADD', `user:${VIEWER}:following`, username(1)],
  ]);
}
