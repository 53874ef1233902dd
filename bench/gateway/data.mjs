// What is in Redis when the cases run: a thousand short values and one long one. What a case writes has keys of its own.

const SHORT = 1000;
const LONG_BYTES = 1_000_000;

const padded = (n) => String(n).padStart(4, '0');

/** The key of the n-th short value. */
export const key = (n) => `bench:session:${padded(n)}`;

/** The key that a case writes in the n-th place. */
export const ownKey = (n) => `bench:own:${padded(n)}`;

export const LONG_KEY = 'bench:page';

/** The n-th short value: JSON, as caches and sessions are. */
export const value = (n) => JSON.stringify({ id: `u${padded(n)}`, name: `Bench User ${padded(n)}`, role: 'user', visits: 12 });

/** 1 MB of the same: a list of them, and blanks behind it. */
export const longValue = (() => {
  const count = Math.floor((LONG_BYTES - 1) / (value(0).length + 1));
  return `[${Array.from({ length: count }, (_, n) => value(n % 10_000)).join(',')}]`.padEnd(LONG_BYTES);
})();

/** Fills Redis through the upstream. */
export async function fill({ upstream }) {
  await upstream.run(Array.from({ length: SHORT }, (_, n) => ['SET', key(n), value(n)]));
  await upstream.run([['SET', LONG_KEY, longValue]]);
}
