// The shape of a community: who joins when, who writes, who follows whom. Users are numbered in the order in which they join.

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const YEAR = 365 * DAY;

/** Nobody may follow more. */
export const MOST_FOLLOWED = 5_000;

/**
 * As in life: most follow few and are followed by few, some follow thousands, and those who came early have most of the
 * followers and write most of the posts.
 */
export function longTail({ users, now, random }) {
  const joined = (user) => now - 2 * YEAR + Math.floor((2 * YEAR * user) / users);
  return {
    joined,
    author(post, at) {
      for (;;) {
        const user = random.skewed(users, 1.5);
        if (joined(user) <= at) return user;
      }
    },
    followed() {
      const count = Math.min(Math.floor(random.pareto(3, 1.2)), MOST_FOLLOWED, users - 1);
      return random.different(count, () => random.skewed(users, 2.5));
    },
  };
}
