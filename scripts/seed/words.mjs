// What people write: words without meaning, and hashtags of which few are used much and many seldom.

const WORDS = (
  'the a an and then but of with without near under over again today yesterday morning evening light shadow river bridge ' +
  'window garden coffee bread winter summer rain snow street train station harbour island mountain valley forest path old new ' +
  'quiet bright slow early late long short blue green golden walk look find keep leave build read write sing dance paint cook ' +
  'remember forget begin end always never maybe still almost here there home away friends people children neighbours music ' +
  'book letter photo story dream plan question answer first last every other small great good better'
).split(' ');

const ALSO = ['☀️', '🌧️', '🙂', 'café', 'naïve', 'Straße', 'música', 'дождь', '春'];

/** The best known first. A few are not ASCII: they are hashtags like any other. */
const BEST_KNOWN = (
  'love photography travel art music food nature fitness кофе fashion 日本 sunset coffee books design café winter bridges ' +
  'running münchen film garden architecture dogs cats españa sea mountains street_art portrait'
).split(' ');

const TAGS = 2_000;

/** All hashtags, by how often they are used. */
export const VOCABULARY = [...BEST_KNOWN, ...compounds(TAGS - BEST_KNOWN.length)];

/** `summerriver`, `quietgarden`, …: two words each, no pair twice. */
function compounds(count) {
  const long = WORDS.filter((word) => word.length > 3);
  return Array.from({ length: count }, (_, n) => {
    const first = n % long.length;
    const second = (first + 1 + Math.floor(n / long.length)) % long.length;
    return long[first] + long[second];
  });
}

/** Zipf's law: the nth hashtag is used in proportion to 1/n. */
const SHARES = cumulated(VOCABULARY.map((_, n) => 1 / (n + 1)));

function cumulated(weights) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return Float64Array.from(weights, (weight) => (sum += weight / total));
}

/** Up to four different hashtags. */
export function hashtags(random) {
  const count = random.pick([0, 0, 1, 1, 2, 2, 3, 4]);
  return [...random.different(count, () => VOCABULARY[rank(random.unit())])];
}

function rank(share) {
  let [low, high] = [0, SHARES.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (SHARES[middle] > share) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A text of `least` to `most` words. */
export function text(random, least, most) {
  const count = least + random.below(most - least + 1);
  const words = Array.from({ length: count }, () => random.pick(WORDS));
  if (random.chance(0.2)) words.push(random.pick(ALSO));
  const sentence = words.join(' ');
  return sentence[0].toUpperCase() + sentence.slice(1);
}

export const FIRST_NAMES = (
  'Ana Ben Chloé Dmitri Elif Farid Greta Hana Igor Jana Kenji Lea Miguel Nora Omar Päivi Quinn Rosa Sven Tomás'
).split(' ');

export const LAST_NAMES = (
  'Almeida Berger Costa Dubois Evans Fischer García Haddad Ivanova Jensen Kim López Müller Novak Okafor Petrov Rossi Silva'
).split(' ');
