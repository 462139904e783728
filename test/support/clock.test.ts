import { describe, expect, it } from "vitest";
import { manualClock } from "./clock.ts";

describe("manualClock", () => {
  it("runs timers in order, each at its due time", async () => {
    const clock = manualClock(1000);
    const ran: string[] = [];
    clock.after(20, () => ran.push(`b at ${clock.now()}`));
    clock.after(10, () => ran.push(`a at ${clock.now()}`));
    clock.after(20, () => ran.push("c"));
    clock.after(31, () => ran.push("too late"));
    await clock.advance(30);
    expect(ran).toEqual(["a at 1010", "b at 1020", "c"]);
    expect([clock.now(), clock.pending()]).toEqual([1030, 1]);
  });

  it("runs a timer that an earlier timer has set, after the promises between them", async () => {
    const clock = manualClock(0);
    const ran: number[] = [];
    clock.after(10, () => {
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => clock.after(5, () => ran.push(clock.now())));
    });
    await clock.advance(15);
    expect(ran).toEqual([15]);
  });

  it("drops a canceled timer", async () => {
    const clock = manualClock();
    const cancel = clock.after(1, () => expect.unreachable("was canceled"));
    cancel();
    await clock.advance(10);
    expect(clock.pending()).toBe(0);
  });

  it("steps the date without running timers", async () => {
    const clock = manualClock(0);
    let ran = 0;
    clock.after(100, () => ran++);
    clock.setNow(1_000_000);
    await clock.advance(99);
    expect([clock.now(), ran]).toEqual([1_000_099, 0]);
    await clock.advance(1);
    expect(ran).toBe(1);
  });
});
