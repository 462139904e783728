import { describe, expect, it } from "vitest";
import { testMonitor } from "../../../test/support/monitor.ts";
import type { Incident } from "./monitor.ts";

describe("monitor", () => {
  it("joins prefixes into metric names and keeps tags out of them", async () => {
    const { monitor } = testMonitor();
    const child = monitor.child({ prefix: "queue" }).child({ prefix: "expiry", tags: { taskId: "abc" } });
    child.count("removed", 3);
    const shown = await monitor.metrics.registry.metrics();
    expect(shown).toContain('monitor_count_total{name="queue.expiry.removed"} 3');
    expect(shown).not.toContain("abc");
  });

  it("puts prefix and tags on every log record, once", () => {
    const { monitor, records } = testMonitor();
    const child = monitor.child({ prefix: "queue", tags: { taskId: "a", runId: 0 } });
    child.child({ prefix: "claim", tags: { taskId: "b" } }).log.info("hello");
    expect(records[0]).toMatchObject({ prefix: "queue.claim", taskId: "b", runId: 0, msg: "hello" });
  });

  it("reports an error to log, count and sink under one incident id", async () => {
    const sent: [Error, Incident][] = [];
    const sink = {
      send: (error: Error, incident: Incident) => sent.push([error, incident]),
      close: async () => {},
    };
    const { monitor, records } = testMonitor(sink);
    const error = new Error("broken");
    const child = monitor.child({ prefix: "hooks", tags: { hookId: "h" } });
    const incidentId = child.reportError(error, { try: 2 });
    expect(incidentId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(records[0]).toMatchObject({
      level: "error",
      prefix: "hooks",
      hookId: "h",
      try: 2,
      incidentId,
      err: { message: "broken", stack: error.stack },
    });
    expect(sent).toEqual([[error, { incidentId, prefix: "hooks", tags: { hookId: "h", try: 2 } }]]);
    expect(await monitor.metrics.registry.metrics()).toContain('errors_reported_total{prefix="hooks"} 1');
  });

  it("reports a thrown value that is not an Error", () => {
    const { monitor, records } = testMonitor();
    monitor.reportError("just text");
    expect(records[0]).toMatchObject({ msg: "not an Error was thrown: just text" });
  });

  it("bounds memory if a caller puts ids into names, and logs that once", async () => {
    const { monitor, records } = testMonitor();
    for (let n = 0; n < 600; n++) monitor.child({ prefix: `task-${n}` }).count("seen");
    const { values } = await monitor.metrics.monitorCounts.get();
    expect(values).toHaveLength(501);
    expect(values.find(({ labels }) => labels.name === "other")?.value).toBe(100);
    expect(records.map(({ msg }) => msg)).toEqual([
      'more than 500 metric names: further ones are counted as "other"',
    ]);
  });
});
