// Commands in batches of some size, several under way at once and no more: neither Node nor the socket holds a data set.

import { encodeCommand } from '../resp.mjs';

const BATCH_CHARACTERS = 256 * 1024;
const UNDER_WAY = 8;

export class Writer {
  #redis;
  #parts = [];
  #characters = 0;
  #underWay = [];

  constructor(redis) {
    this.#redis = redis;
  }

  add(...command) {
    const text = encodeCommand(command);
    this.#parts.push(text);
    this.#characters += text.length;
  }

  /** To be called every now and then: sends what has gathered, and waits while too much is under way. */
  async breathe() {
    if (this.#characters < BATCH_CHARACTERS) return;
    this.#send();
    if (this.#underWay.length > UNDER_WAY) await this.#underWay.shift();
  }

  /** Sends the rest and waits for every reply. */
  async finish() {
    if (this.#parts.length) this.#send();
    await Promise.all(this.#underWay.splice(0));
  }

  #send() {
    const batch = this.#redis.send(this.#parts.join(''), this.#parts.length);
    batch.catch(() => {}); // whoever waits for it next is told
    this.#underWay.push(batch);
    this.#parts = [];
    this.#characters = 0;
  }
}
