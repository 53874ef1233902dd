// Numbers that look random and are the same for the same seed, on every machine.

import { createHash } from 'node:crypto';

/** Chris Doty-Humphrey's sfc32: small, fast, and good enough for everything but secrets. Each `name` is a stream of its own. */
export class Random {
  #a;
  #b;
  #c;
  #counter = 1;

  constructor(seed, name) {
    const digest = createHash('sha256').update(`${seed}\0${name}`).digest();
    [this.#a, this.#b, this.#c] = [0, 4, 8].map((at) => digest.readInt32LE(at));
  }

  /** 0 to 2³² − 1. */
  word() {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum >>> 0;
  }

  /** 0 ≤ x < 1. */
  unit() {
    return this.word() / 2 ** 32;
  }

  /** 0 to n − 1, all alike. */
  below(n) {
    return Math.floor(this.unit() * n);
  }

  /** 0 to n − 1, the low numbers more often: the share of the first x of n is x^(1/power). */
  skewed(n, power) {
    return Math.floor(n * this.unit() ** power);
  }

  /** At least `least`, without bound, the mean being least · alpha / (alpha − 1): Pareto's distribution. */
  pareto(least, alpha) {
    return least * (1 - this.unit()) ** (-1 / alpha);
  }

  chance(share) {
    return this.unit() < share;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  /** Up to `count` different numbers as `draw` gives them; fewer if it keeps giving the same. */
  different(count, draw) {
    const drawn = new Set();
    for (let tries = 4 * count; drawn.size < count && tries > 0; tries--) drawn.add(draw());
    return drawn;
  }

  /** A moment between two, in whole milliseconds. */
  between(from, to) {
    return from + this.below(Math.max(1, to - from));
  }

  /** A UUIDv7 of a moment, as Ridge makes them. */
  uuid(ms) {
    const time = ms.toString(16).padStart(12, '0');
    const a = (this.word() & 0xfff).toString(16).padStart(3, '0');
    const b = ((this.word() & 0x3fff) | 0x8000).toString(16);
    const c = (this.word() & 0xffff).toString(16).padStart(4, '0') + this.word().toString(16).padStart(8, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${a}-${b}-${c}`;
  }
}
