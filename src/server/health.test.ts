import { describe, expect, it } from "vitest";
import { manualClock } from "../../test/support/clock.ts";
import { testMonitor } from "../../test/support/monitor.ts";
import { DatabaseUnavailable } from "./core/db-errors.ts";
import { createHealth } from "./health.ts";

describe("createHealth", () => {
  it("reports how fast each dependency responds", async () => {
    const clock = manualClock();
    const probes = { Database: () => clock.advance(7), "Event log": () => Promise.resolve() };
    const health = createHealth({ probes, checks: [], clock, log: testMonitor().monitor.log });
    expect(await health()).toMatchObject([
      { name: "Database", state: "healthy", detail: "responds in 7 ms" },
      { name: "Event log", state: "healthy", detail: "responds in 0 ms" },
    ]);
  });

  it("adds the checks of the services", async () => {
    const check = { name: "Worker", state: "unknown" as const, detail: "none seen yet" };
    const options = { clock: manualClock(), log: testMonitor().monitor.log };
    const health = createHealth({ ...options, probes: {}, checks: [() => Promise.resolve(check)] });
    expect(await health()).toEqual([check]);
  });

  it.each([
    ["read-only", "is read-only: nothing can be changed until it accepts writes"],
    ["disk full", "has a full disk: nothing can be stored until space is free"],
    ["overloaded", "is overloaded, or has too few connections"],
    ["unreachable", "does not respond; each request tries again"],
  ] as const)("says what is wrong with a database that is %s", async (outage, detail) => {
    const probes = { Database: () => Promise.reject(new DatabaseUnavailable(new Error("secret"), outage)) };
    const log = testMonitor().monitor.log;
    const health = createHealth({ probes, checks: [], clock: manualClock(), log });
    expect(await health()).toEqual([{ name: "Database", state: "unhealthy", detail }]);
  });

  it("reports that a dependency does not respond, and the reason only in the log", async () => {
    const { monitor, records } = testMonitor();
    const probes = {
      Database: () => Promise.reject(new Error("password authentication failed for user bob")),
    };
    const health = createHealth({ probes, checks: [], clock: manualClock(), log: monitor.log });
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
