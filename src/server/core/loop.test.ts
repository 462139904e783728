import { describe, expect, it } from "vitest";
import { manualClock } from "../../../test/support/clock.ts";
import { testMonitor } from "../../../test/support/monitor.ts";
import { DatabaseUnavailable } from "./db-errors.ts";
import { type LoopOptions, startLoop } from "./loop.ts";

function setup(runOnce: LoopOptions["runOnce"], options: Partial<LoopOptions> = {}) {
  const clock = manualClock(0);
  const { monitor, records } = testMonitor();
  const loop = startLoop({ name: "sweep", runOnce, intervalMs: 5000, clock, monitor, ...options });
  return { loop, clock, monitor, records };
}

const nothingLeft = { more: false };

describe("startLoop", () => {
  it("runs immediately, and again after each interval", async () => {
    const at: number[] = [];
    const { loop, clock } = setup(async () => {
      at.push(clock.now());
      return nothingLeft;
    });
    await loop.idle();
    await clock.advance(12_000);
    expect(at).toEqual([0, 5000, 10_000]);
    await loop.stop();
  });

  it("iterates without waiting while there is more", async () => {
    let left = 3;
    const { loop, clock } = setup(async () => ({ more: --left > 0 }));
    await loop.idle();
    expect([left, clock.now()]).toEqual([0, 0]);
    await loop.stop();
  });

  it("is triggered by its wake-ups, and unsubscribes when it stops", async () => {
    let iterations = 0;
    const listeners = new Set<() => void>();
    const wake = (trigger: () => void) => {
      listeners.add(trigger);
      return () => listeners.delete(trigger);
    };
    const { loop } = setup(
      async () => {
        iterations++;
        return nothingLeft;
      },
      { wake },
    );
    await loop.idle();
    for (const trigger of listeners) trigger();
    await loop.idle();
    expect(iterations).toBe(2);
    await loop.stop();
    expect(listeners.size).toBe(0);
    loop.trigger();
    await loop.idle();
    expect(iterations).toBe(2);
  });

  it("never overlaps itself: triggers during an iteration cause one more iteration", async () => {
    const ends: (() => void)[] = [];
    const { loop, clock } = setup(() => new Promise((resolve) => ends.push(() => resolve(nothingLeft))));
    await clock.advance(0);
    expect(ends).toHaveLength(1);
    loop.trigger();
    loop.trigger();
    ends[0]?.();
    await clock.advance(0);
    expect(ends).toHaveLength(2);
    ends[1]?.();
    await loop.idle();
    expect(ends).toHaveLength(2);
    await loop.stop();
  });

  it("restarts the interval after an iteration that was triggered", async () => {
    const at: number[] = [];
    const { loop, clock } = setup(async () => {
      at.push(clock.now());
      return nothingLeft;
    });
    await clock.advance(4000);
    loop.trigger();
    await clock.advance(4000);
    expect(at).toEqual([0, 4000]);
    await clock.advance(1000);
    expect(at).toEqual([0, 4000, 9000]);
    await loop.stop();
  });

  it("reports a failed iteration and retries it with backoff, regardless of triggers", async () => {
    const at: number[] = [];
    const { loop, clock, records } = setup(async () => {
      at.push(clock.now());
      if (at.length <= 3) throw new Error(`failure ${at.length}`);
      return nothingLeft;
    });
    await clock.advance(100);
    loop.trigger();
    await clock.advance(10_000);
    const [first = 0, second = 0, third = 0, fourth = 0] = at;
    expect(first).toBe(0);
    expect(Math.abs(second - first - 1000)).toBeLessThanOrEqual(250);
    expect(Math.abs(third - second - 2000)).toBeLessThanOrEqual(500);
    expect(Math.abs(fourth - third - 4000)).toBeLessThanOrEqual(1000);
    await loop.idle();
    expect(records.map(({ msg, prefix, failures }) => [msg, prefix, failures])).toEqual([
      ["failure 1", "sweep", 1],
      ["failure 2", "sweep", 2],
      ["failure 3", "sweep", 3],
    ]);
    expect(records[0]?.["incidentId"]).toEqual(expect.any(String));
    await loop.stop();
  });

  it("reports an outage as a warning without an incident, and retries at least every 12.5 seconds", async () => {
    const at: number[] = [];
    const { loop, clock, records } = setup(async () => {
      at.push(clock.now());
      if (at.length <= 12) throw new DatabaseUnavailable(new Error("down"));
      return nothingLeft;
    });
    await clock.advance(150_000);
    await loop.idle();
    const pauses = at.slice(1).map((ms, i) => ms - (at[i] ?? 0));
    expect(Math.max(...pauses.slice(0, 12))).toBeLessThanOrEqual(12_500);
    expect(records).toHaveLength(12);
    for (const record of records) {
      expect(record).toMatchObject({ level: "warn", msg: "interrupted by an outage; retrying" });
      expect(record).not.toHaveProperty("incidentId");
    }
    await loop.stop();
  });

  it("is not idle while it recovers from a failure", async () => {
    let fail = true;
    const { loop, clock } = setup(async () => {
      if (fail) throw new Error("no");
      return nothingLeft;
    });
    let idle = false;
    const idling = loop.idle().then(() => (idle = true));
    await clock.advance(500);
    expect(idle).toBe(false);
    fail = false;
    await clock.advance(1000);
    await idling;
    await loop.stop();
  });

  it("stops after the running iteration and leaves no timer", async () => {
    const ends: (() => void)[] = [];
    const { loop, clock } = setup(() => new Promise((resolve) => ends.push(() => resolve({ more: true }))));
    await clock.advance(0);
    let stopped = false;
    const stopping = loop.stop().then(() => (stopped = true));
    await clock.advance(0);
    expect(stopped).toBe(false);
    ends[0]?.();
    await stopping;
    await loop.idle();
    expect([ends.length, clock.pending()]).toEqual([1, 0]);
  });

  it("stops immediately while it waits to retry", async () => {
    const { loop, clock } = setup(() => Promise.reject(new Error("no")));
    await clock.advance(0);
    await loop.stop();
    await clock.advance(100_000);
    expect(clock.pending()).toBe(0);
  });

  it("measures its iterations by outcome", async () => {
    let iterations = 0;
    const { loop, clock, monitor } = setup(async () => {
      if (++iterations === 1) throw new Error("no");
      return nothingLeft;
    });
    await clock.advance(2000);
    await loop.stop();
    const shown = await monitor.metrics.registry.metrics();
    expect(shown).toContain('iterate_duration_seconds_count{name="sweep",status="exception"} 1');
    expect(shown).toContain('iterate_duration_seconds_count{name="sweep",status="success"} 1');
  });
});
