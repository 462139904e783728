import { describe, expect, it } from "vitest";
import { manualClock } from "../../../test/support/clock.ts";
import { testMonitor } from "../../../test/support/monitor.ts";
import { createLifecycle } from "./lifecycle.ts";

function setup() {
  const clock = manualClock(0);
  const { monitor, records } = testMonitor();
  const lifecycle = createLifecycle({ clock, log: monitor.log, stopTimeoutMs: 10_000 });
  return { clock, lifecycle, records };
}

const never = (): Promise<void> => new Promise(() => {});

describe("createLifecycle", () => {
  it("stops the last started part first, each after the previous one has stopped", async () => {
    const { lifecycle } = setup();
    const seen: string[] = [];
    for (const name of ["database", "loops", "http"]) {
      lifecycle.add(name, async () => {
        seen.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(`${name} ends`);
      });
    }
    expect(await lifecycle.stop("test")).toEqual({ unclean: [] });
    expect(seen).toEqual([
      "http begins",
      "http ends",
      "loops begins",
      "loops ends",
      "database begins",
      "database ends",
    ]);
  });

  it("stops once, however often it is called", async () => {
    const { lifecycle } = setup();
    let stops = 0;
    lifecycle.add("part", () => void stops++);
    await Promise.all([lifecycle.stop("one"), lifecycle.stop("two")]);
    await lifecycle.stop("three");
    expect(stops).toBe(1);
  });

  it("aborts its signal before anything stops, with the reason", async () => {
    const { lifecycle } = setup();
    let abortedBefore = false;
    lifecycle.add("part", () => void (abortedBefore = lifecycle.signal.aborted));
    await lifecycle.stop("SIGTERM");
    expect(abortedBefore).toBe(true);
    expect(lifecycle.signal.reason).toMatchObject({ message: "stopping: SIGTERM" });
  });

  it("reports the parts that hang, and leaves time for the parts after them within the limit of the whole stop", async () => {
    const { lifecycle, clock, records } = setup();
    const at: Record<string, number> = {};
    lifecycle.add("postgres", () => void (at["postgres"] = clock.now()));
    lifecycle.add("loops", () => {
      at["loops"] = clock.now();
      return never();
    });
    lifecycle.add("http", never);
    const stopped = lifecycle.stop("test");
    await clock.advance(10_000);
    expect(await stopped).toEqual({ unclean: ["http", "loops"] });
    expect(at).toEqual({ loops: 5000, postgres: 7500 });
    expect(records.map(({ msg }) => msg)).toEqual([
      "stopping",
      "http did not stop in time",
      "loops did not stop in time",
      "stopped, but not cleanly",
    ]);
  });

  it("gives the last part all of the remaining time", async () => {
    const { lifecycle, clock } = setup();
    lifecycle.add("postgres", never);
    const stopped = lifecycle.stop("test");
    await clock.advance(9999);
    expect(clock.pending()).toBe(1);
    await clock.advance(1);
    expect(await stopped).toEqual({ unclean: ["postgres"] });
  });

  it("continues after a part that fails to stop, and logs the reason", async () => {
    const { lifecycle, records } = setup();
    let stopped = false;
    lifecycle.add("database", () => void (stopped = true));
    lifecycle.add("rejects", () => Promise.reject(new Error("broken pipe")));
    lifecycle.add("throws", () => {
      throw new Error("no");
    });
    expect(await lifecycle.stop("test")).toEqual({ unclean: ["throws", "rejects"] });
    expect(stopped).toBe(true);
    expect(records).toContainEqual(
      expect.objectContaining({
        msg: "rejects failed to stop",
        err: expect.objectContaining({ message: "broken pipe" }),
      }),
    );
  });

  it("stops parts that are added during the stop or after it", async () => {
    const { lifecycle } = setup();
    const seen: string[] = [];
    lifecycle.add("first", () => {
      lifecycle.add("during", () => void seen.push("during"));
    });
    await lifecycle.stop("test");
    lifecycle.add("after", () => void seen.push("after"));
    expect(await lifecycle.stop("again")).toEqual({ unclean: [] });
    expect(seen).toEqual(["during", "after"]);
  });
});
