// Limits how many calls that read much run concurrently: each may take 100 MB and seconds.
import { ApiError } from "../../../lib/errors.ts";
import type { Clock } from "../../../lib/clock.ts";
import { createTally } from "../tally.ts";
import { createRecentDuration } from "./recent-duration.ts";

export interface HeavyCallLimits {
  /** The number of places. A call takes one or more of them. */
  readonly places: number;
  readonly clock: Clock;
}

export interface HeavyCalls {
  /**
   * Runs `body` as soon as there is a place. One caller takes at most half of the places. Throws `ServiceUnavailable` if too
   * many calls wait already, or after ten seconds; `TooManyRequests` if too many of this caller wait.
   */
  run<T>(caller: string, places: number, body: () => Promise<T> | T): Promise<T>;
}

/** Calls that wait for each place, in all and of one caller. */
const WAITING = { all: 16, perCaller: 4 };
const WAIT_MS = 10_000;

interface Waiter {
  readonly caller: string;
  readonly places: number;
  readonly start: () => void;
}

export function createHeavyCalls({ places: all, clock }: HeavyCallLimits): HeavyCalls {
  const taken = createTally();
  const duration = createRecentDuration();
  let waiting: Waiter[] = [];
  /** How long `calls` take if `places` are free for them. */
  const estimate = (calls: number, places: number): number => duration.ms * Math.max(1, calls / places);

  const fits = ({ caller, places }: Pick<Waiter, "caller" | "places">): boolean => {
    const own = taken.of(caller);
    // A call that takes more places than there are runs alone.
    const isAlone = taken.total === 0;
    return (isAlone || taken.total + places <= all) && (own === 0 || own + places <= all / 2);
  };
  const release = (caller: string, places: number): void => {
    taken.add(caller, -places);
    for (let next = waiting.find(fits); next; next = waiting.find(fits)) {
      taken.add(next.caller, next.places);
      const started = next;
      waiting = waiting.filter((waiter) => waiter !== started);
      next.start();
    }
  };

  const wait = (caller: string, places: number): Promise<void> => {
    const own = waiting.filter((waiter) => waiter.caller === caller).length;
    if (own >= WAITING.perCaller * all)
      throw new ApiError(
        "TooManyRequests",
        `${own} of your calls that read much wait already, which is the maximum. Wait for their replies before you send more.`,
        { retryAfterMs: estimate(own, Math.max(1, all / 2)) },
      );
    if (waiting.length >= WAITING.all * all) throw busy(estimate(waiting.length, all));
    return new Promise((resolve, reject) => {
      const cancel = clock.after(WAIT_MS, () => {
        waiting = waiting.filter((other) => other !== waiter);
        reject(busy(estimate(waiting.length, all)));
      });
      const waiter: Waiter = {
        caller,
        places,
        start() {
          cancel();
          resolve();
        },
      };
      waiting.push(waiter);
    });
  };

  return {
    async run(caller, places, body) {
      if (fits({ caller, places })) taken.add(caller, places);
      else await wait(caller, places);
      const started = clock.now();
      try {
        return await body();
      } finally {
        duration.add(clock.now() - started);
        release(caller, places);
      }
    },
  };
}

const busy = (retryAfterMs: number): ApiError =>
  new ApiError(
    "ServiceUnavailable",
    "Too many calls that read much are in progress. Try again shortly, or request shorter pages.",
    { retryAfterMs },
  );
