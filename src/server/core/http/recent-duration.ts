// How long the recent uses of a limited resource took, to estimate how long others wait for it.

export interface RecentDuration {
  /** The mean of the recent uses in milliseconds, or a second before the first. */
  readonly ms: number;
  add(ms: number): void;
}

/** The weight of the newest use: the last ten decide most of the mean. */
const NEWEST = 0.2;

export function createRecentDuration(): RecentDuration {
  let mean = 1_000;
  return {
    get ms() {
      return mean;
    },
    add(ms) {
      mean += NEWEST * (ms - mean);
    },
  };
}
