import { describe, expect, it } from "vitest";
import { manualClock } from "../../test/support/clock.ts";
import { testMonitor } from "../../test/support/monitor.ts";
import { createHealth } from "./health.ts";

const nobody = () => Promise.resolve(undefined);

describe("createHealth", () => {
  it("tells how fast what the server stands on answers", async () => {
    const clock = manualClock();
    const asks = { Database: () => clock.advance(7), "Event log": () => Promise.resolve() };
    const health = createHealth({ asks, workerSeen: nobody, clock, log: testMonitor().monitor.log });
    expect(await health()).toMatchObject([
      { name: "Database", state: "well", detail: "answers in 7 ms" },
      { name: "Event log", state: "well", detail: "answers in 0 ms" },
      { name: "Worker" },
    ]);
  });

  it("tells when a worker was seen, and what to do where none was", async () => {
    const clock = manualClock();
    let seen: number | undefined;
    const workerSeen = () => Promise.resolve(seen);
    const health = createHealth({ asks: {}, workerSeen, clock, log: testMonitor().monitor.log });
    const worker = async () => (await health())[0];
    expect(await worker()).toEqual({
      name: "Worker",
      state: "unknown",
      detail: "none was seen yet: start one with `taskyard worker`",
    });
    seen = clock.now();
    await clock.advance(12_000);
    expect(await worker()).toEqual({ name: "Worker", state: "well", detail: "asked for work 12 s ago" });
    await clock.advance(10 * 60_000);
    expect(await worker()).toMatchObject({ detail: "asked for work 10 min ago" });
    await clock.advance(3 * 3_600_000);
    expect(await worker()).toMatchObject({ detail: "asked for work 3 h ago" });
  });

  it("does not know of workers while that cannot be read", async () => {
    const { monitor, records } = testMonitor();
    const workerSeen = () => Promise.reject(new Error("no connection"));
    const health = createHealth({ asks: {}, workerSeen, clock: manualClock(), log: monitor.log });
    expect(await health()).toEqual([
      { name: "Worker", state: "unknown", detail: "not known while the database does not answer" },
    ]);
    expect(records).toMatchObject([{ msg: "it is not known when a worker was last seen" }]);
  });

  it("says that something does not answer, and only to the log why", async () => {
    const { monitor, records } = testMonitor();
    const asks = { Database: () => Promise.reject(new Error("password authentication failed for user bob")) };
    const health = createHealth({ asks, workerSeen: nobody, clock: manualClock(), log: monitor.log });
    expect((await health())[0]).toEqual({
      name: "Database",
      state: "unwell",
      detail: "does not answer; every request tries anew",
    });
    expect(records).toMatchObject([
      { msg: "Database does not answer", err: { message: "password authentication failed for user bob" } },
    ]);
  });
});
