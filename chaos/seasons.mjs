// Which memories all processes fight for at a moment. A memory is hot for one season and never touched again: one that
// stayed hot would be healed by its next write, and its faults would not be seen.
import { uuidOf } from './random.mjs';

const SEASON_MS = 4000;
const HOT = 12;

/** Users with equal names for their entities, so that a merge across users would show. */
export const USERS = ['ada', 'grace', 'edsger'];

export class Seasons {
  /** @param {{ seed: string, startedAt: number }} run milliseconds since the epoch: one clock for all processes */
  constructor({ seed, startedAt }) {
    this.seed = seed;
    this.startedAt = startedAt;
  }

  get current() {
    return Math.floor((Date.now() - this.startedAt) / SEASON_MS);
  }

  /** The hot memories of this season, with their owners. */
  hot() {
    const season = this.current;
    return Array.from({ length: HOT }, (_, slot) => ({
      id: uuidOf([this.seed, season, slot]),
      userId: USERS[slot % USERS.length],
      season,
    }));
  }
}
