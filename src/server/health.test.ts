import { describe, expect, it } from "vitest";
import { manualClock } from "../../test/support/clock.ts";
import { testMonitor } from "../../test/support/monitor.ts";
import { createHealth } from "./health.ts";

const neverSeen = () => Promise.resolve(undefined);

describe("createHealth", () => {
  it("reports how fast each dependency responds", async () => {
    const clock = manualClock();
    const probes = { Database: () => clock.advance(7), "Event log": () => Promise.resolve() };
    const health = createHealth({ probes, workerSeen: neverSeen, clock, log: testMonitor().monitor.log });
    expect(await health()).toMatchObject([
      { name: "Database", state: "healthy", detail: "responds in 7 ms" },
      { name: "Event log", state: "healthy", detail: "responds in 0 ms" },
      { name: "Worker" },
    ]);
  });

  it("reports when a worker was last seen, or how to start one", async () => {
    const clock = manualClock();
    let seen: number | undefined;
    const workerSeen = () => Promise.resolve(seen);
    const health = createHealth({ probes: {}, workerSeen, clock, log: testMonitor().monitor.log });
    const worker = async () => (await health())[0];
    expect(await worker()).toEqual({
      name: "Worker",
      state: "unknown",
      detail: "none seen yet: start one with `taskyard worker`",
    });
    seen = clock.now();
    await clock.advance(12_000);
    expect(await worker()).toEqual({ name: "Worker", state: "healthy", detail: "requested work 12 s ago" });
    await clock.advance(10 * 60_000);
    expect(await worker()).toMatchObject({ detail: "requested work 10 min ago" });
    await clock.advance(3 * 3_600_000);
    expect(await worker()).toMatchObject({ detail: "requested work 3 h ago" });
  });

  it("reports the worker's state as unknown if it cannot be read", async () => {
    const { monitor, records } = testMonitor();
    const workerSeen = () => Promise.reject(new Error("no connection"));
    const health = createHealth({ probes: {}, workerSeen, clock: manualClock(), log: monitor.log });
    expect(await health()).toEqual([
      { name: "Worker", state: "unknown", detail: "unknown while the database does not respond" },
    ]);
    expect(records).toMatchObject([{ msg: "cannot read when a worker was last seen" }]);
  });

  it("reports that a dependency does not respond, and the reason only in the log", async () => {
    const { monitor, records } = testMonitor();
    const probes = {
      Database: () => Promise.reject(new Error("password authentication failed for user bob")),
    };
    const health = createHealth({ probes, workerSeen: neverSeen, clock: manualClock(), log: monitor.log });
    expect((await health())[0]).toEqual({
      name: "Database",
      state: "unhealthy",
      detail: "does not respond; each request tries again",
    });
    expect(records).toMatchObject([
      { msg: "Database does not respond", err: { message: "password authentication failed for user bob" } },
    ]);
  });
});
