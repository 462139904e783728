import { describe, expect, it } from "vitest";
import { manualClock } from "../../test/support/clock.ts";
import { createHealth } from "./health.ts";

describe("createHealth", () => {
  it("tells how fast the database answers, and when a worker was seen", async () => {
    const clock = manualClock();
    const seen = clock.now();
    const check = (): Promise<void> => clock.advance(7);
    const health = createHealth({ check, workerSeen: () => seen, clock });
    await clock.advance(12_000);
    expect(await health()).toEqual([
      { name: "Database", state: "well", detail: "answers in 7 ms" },
      { name: "Worker", state: "well", detail: "asked for work 12 s ago" },
    ]);
    await clock.advance(10 * 60_000);
    expect(await health()).toMatchObject([{}, { detail: "asked for work 10 min ago" }]);
    await clock.advance(3 * 3_600_000);
    expect(await health()).toMatchObject([{}, { detail: "asked for work 3 h ago" }]);
  });

  it("says what to do where there is no worker, and keeps errors to the log", async () => {
    const clock = manualClock();
    const check = (): Promise<void> =>
      Promise.reject(new Error("password authentication failed for user bob"));
    expect(await createHealth({ check, workerSeen: () => undefined, clock })()).toEqual([
      { name: "Database", state: "unwell", detail: "does not answer; it is tried again with each request" },
      { name: "Worker", state: "unknown", detail: "none was seen yet: start one with `taskyard worker`" },
    ]);
  });
});
