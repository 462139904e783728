import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { manualClock } from "../../test/support/clock.ts";
import { pause, retry, TimeoutError, withTimeout } from "./retry.ts";

const backoff = { baseMs: 100, maxMs: 1000, jitter: 0 };

/** Resolves to the error of a promise. Attached before the error occurs, so that it is never unhandled. */
const errorOf = (result: Promise<unknown>): Promise<unknown> =>
  result.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("retry", () => {
  /** Fails `failures` times, then returns the number of the try. */
  const failing = (failures: number) => {
    let tries = 0;
    return async (): Promise<number> => {
      if (++tries <= failures) throw new Error(`failure ${tries}`);
      return tries;
    };
  };

  it("waits longer after each failure", async () => {
    const clock = manualClock(0);
    const times: number[] = [];
    const attempt = failing(3);
    const result = retry({ tries: 5, retryable: () => true, delay: { clock, backoff } }, () => {
      times.push(clock.now());
      return attempt();
    });
    await clock.advance(700);
    expect(await result).toBe(4);
    expect(times).toEqual([0, 100, 300, 700]);
  });

  it("waits as long as the error requires, if that is longer than the backoff", async () => {
    const clock = manualClock(0);
    const minMs = (error: unknown): number =>
      error instanceof Error && error.message === "failure 1" ? 5000 : 0;
    const result = retry(
      { tries: 3, retryable: () => true, delay: { clock, backoff, minMs } },
      async function attempt() {
        if (clock.now() < 5200) throw new Error(clock.now() === 0 ? "failure 1" : "failure 2");
        return clock.now();
      },
    );
    await clock.advance(10_000);
    expect(await result).toBe(5200);
  });

  it("retries immediately without a delay", async () => {
    expect(await retry({ tries: 3, retryable: () => true }, failing(2))).toBe(3);
  });

  it("rejects with the last error when the tries are used up", async () => {
    await expect(retry({ tries: 3, retryable: () => true }, failing(3))).rejects.toThrow(/^failure 3$/);
  });

  it("rejects immediately with a final error", async () => {
    const retryable = (error: unknown): boolean => error instanceof Error && error.message !== "failure 2";
    await expect(retry({ tries: Infinity, retryable }, failing(5))).rejects.toThrow(/^failure 2$/);
  });

  it("does not start when the signal is aborted, and ends its wait when it aborts", async () => {
    const clock = manualClock();
    const options = { tries: Infinity, retryable: () => true, delay: { clock, backoff } };
    const aborted = AbortSignal.abort(new Error("before"));
    await expect(retry({ ...options, signal: aborted }, failing(0))).rejects.toThrow(/^before$/);

    const controller = new AbortController();
    const result = retry({ ...options, signal: controller.signal }, failing(Infinity));
    const error = errorOf(result);
    await clock.advance(100);
    controller.abort(new Error("meanwhile"));
    expect(await error).toEqual(new Error("meanwhile"));
    expect(clock.pending()).toBe(0);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });
});

describe("pause", () => {
  it("resolves after its time and leaves no listener", async () => {
    const clock = manualClock();
    const { signal } = new AbortController();
    const paused = pause(clock, 50, signal);
    await clock.advance(50);
    await paused;
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("rejects with an Error even if the reason is not one", async () => {
    const rejected = pause(manualClock(), 50, AbortSignal.abort("text"));
    await expect(rejected).rejects.toMatchObject({ message: "aborted", cause: "text" });
  });
});

describe("withTimeout", () => {
  const forever = (): Promise<never> => new Promise(() => undefined);

  it("passes on the result and the error of the work, and leaves no timer or listener", async () => {
    const clock = manualClock();
    const { signal } = new AbortController();
    const options = { clock, ms: 5000, signal, what: "the work" };
    expect(await withTimeout(options, async () => "done")).toBe("done");
    await expect(withTimeout(options, () => Promise.reject(new Error("own")))).rejects.toThrow(/^own$/);
    expect(clock.pending()).toBe(0);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("rejects with a TimeoutError when time runs out, and aborts the signal of the work", async () => {
    const clock = manualClock();
    let limited: AbortSignal | undefined;
    const result = withTimeout({ clock, ms: 5000, what: "the work" }, (signal) => {
      limited = signal;
      return forever();
    });
    const error = errorOf(result);
    await clock.advance(5000);
    expect(await error).toEqual(new TimeoutError("the work took longer than 5 seconds"));
    expect(limited?.reason).toBeInstanceOf(TimeoutError);
  });

  it("rejects with the TimeoutError if the abort makes the work fail", async () => {
    const clock = manualClock();
    const result = withTimeout(
      { clock, ms: 5000, what: "the work" },
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new Error("interrupted")));
        }),
    );
    const error = errorOf(result);
    await clock.advance(5000);
    expect(await error).toBeInstanceOf(TimeoutError);
  });

  it("rejects with the reason of the caller's signal, without starting if that is aborted", async () => {
    const clock = manualClock();
    const controller = new AbortController();
    const result = withTimeout({ clock, ms: 5000, signal: controller.signal, what: "the work" }, forever);
    const error = errorOf(result);
    controller.abort(new Error("stopped"));
    expect(await error).toEqual(new Error("stopped"));
    expect(clock.pending()).toBe(0);

    let started = false;
    const second = withTimeout({ clock, ms: 5000, signal: controller.signal, what: "the work" }, async () => {
      started = true;
    });
    await expect(second).rejects.toThrow(/^stopped$/);
    expect(started).toBe(false);
  });
});
