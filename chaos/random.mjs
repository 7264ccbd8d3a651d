// Random choices that a seed repeats.
import { createHash } from 'node:crypto';

/** A stream of random choices of its own for every name. */
export class Random {
  #state;

  /** @param {...(string | number)} name the seed, and what the stream is for */
  constructor(...name) {
    this.#state = digest(name).readUInt32LE(0);
  }

  /** At least 0, below 1 (mulberry32). */
  fraction() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low, high) {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  pick(list) {
    return list[this.between(0, list.length - 1)];
  }

  /** So many different members of the list, or all. */
  some(list, count) {
    const left = [...list];
    const taken = [];
    while (taken.length < count && left.length > 0)
      taken.push(...left.splice(this.between(0, left.length - 1), 1));
    return taken;
  }

  /** @param {{ weight: number }[]} choices */
  weighted(choices) {
    let rest = this.fraction() * choices.reduce((sum, { weight }) => sum + weight, 0);
    for (const choice of choices) {
      rest -= choice.weight;
      if (rest < 0) return choice;
    }
    return choices[0];
  }

  uuid() {
    return uuidOf(Array.from({ length: 4 }, () => this.fraction()));
  }
}

/** The same UUID for the same name, wherever it is made. */
export function uuidOf(name) {
  const hex = digest(name).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function digest(name) {
  return createHash('sha256').update(JSON.stringify(name)).digest();
}
