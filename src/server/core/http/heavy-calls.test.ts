// How many calls that read much run concurrently, and which of the waiting ones is next.
import { expect, it } from "vitest";
import { manualClock } from "../../../../test/support/clock.ts";
import type { ApiError } from "../../../lib/errors.ts";
import { createHeavyCalls } from "./heavy-calls.ts";

function calls(places: number) {
  const clock = manualClock();
  const heavy = createHeavyCalls({ places, clock });
  const running: string[] = [];
  /** Starts a call that runs until the returned function is called. */
  const start = (name: string, taken = 1) => {
    let end = (): void => undefined;
    const [caller = ""] = name;
    const done = heavy.run(caller, taken, () => {
      running.push(name);
      return new Promise<void>((resolve) => {
        end = () => {
          running.splice(running.indexOf(name), 1);
          resolve();
        };
      });
    });
    return { done, end: () => (end(), done) };
  };
  return { clock, running, start };
}

it("one caller takes half of the places, and the calls of others do not wait for its further ones", async () => {
  const { running, start } = calls(4);
  const [first] = ["a1", "a2", "a3", "a4"].map((name) => start(name));
  start("b1");
  expect(running).toEqual(["a1", "a2", "b1"]);
  start("c1");
  start("d1");
  expect(running).toEqual(["a1", "a2", "b1", "c1"]);
  await first?.end();
  expect(running).toEqual(["a2", "b1", "c1", "a3"]);
});

it("a call may take several places, or all", async () => {
  const { running, start } = calls(4);
  const [one, two] = [start("a", 2), start("b", 2)];
  start("c");
  expect(running).toEqual(["a", "b"]);
  await one.end();
  expect(running).toEqual(["b", "c"]);
  await two.end();
  const alone = calls(1);
  alone.start("a", 2);
  expect(alone.running).toEqual(["a"]);
});

it("too many waiting calls are refused, and so is one that waits too long", async () => {
  const { clock, running, start } = calls(1);
  const first = start("a");
  const waiting = ["a", "a", "a", "a"].map((name) => start(name).done);
  await expect(start("a").done).rejects.toMatchObject({ code: "TooManyRequests" });
  for (const name of "bcdefghijklm") waiting.push(start(name).done);
  await expect(start("z").done).rejects.toMatchObject({ code: "ServiceUnavailable" });
  const refused = Promise.allSettled(waiting);
  await clock.advance(10_000);
  for (const { status } of await refused) expect(status).toBe("rejected");
  await first.end();
  start("z");
  expect(running).toEqual(["z"]);
});

it("a refusal says how long the calls before it are likely to take", async () => {
  const { clock, start } = calls(2);
  const refusedAfter = async (name: string): Promise<unknown> =>
    start(name).done.catch((err: ApiError) => [err.code, err.retryAfterMs]);
  // The mean moves from a second to the durations of the recent calls.
  for (let i = 0; i < 30; i++) {
    const call = start("a");
    await clock.advance(400);
    await call.end();
  }
  // Two run, and 32 wait.
  const [a, b, ...waiting] = Array.from({ length: 34 }, (_, i) => start("abcdefghij".charAt(i % 10)));
  const [code, ms] = (await refusedAfter("k")) as [string, number];
  expect([code, Math.round(ms / 100)]).toEqual(["ServiceUnavailable", 4 * 16]);
  const late = Promise.allSettled(waiting.map(({ done }) => done));
  await clock.advance(10_000);
  await late;
  await Promise.all([a?.end(), b?.end()]);
});
