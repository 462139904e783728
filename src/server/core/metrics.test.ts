import { describe, expect, it } from "vitest";
import { createMetrics, metricDefinitions } from "./metrics.ts";

describe("createMetrics", () => {
  it("shows what was counted with its labels", async () => {
    const metrics = createMetrics();
    metrics.completedTasks.inc({ provisionerId: "proj", workerType: "ci" });
    metrics.httpRequestDuration.observe(
      { service: "queue", name: "status", method: "GET", status: "200" },
      0.004,
    );
    const shown = await metrics.registry.metrics();
    expect(shown).toContain('queue_completed_tasks{provisionerId="proj",workerType="ci"} 1');
    expect(shown).toContain(
      'http_request_duration_seconds_bucket{le="0.005",service="queue",name="status",method="GET",status="200"} 1',
    );
  });

  it("gives each server figures of its own", async () => {
    const [one, two] = [createMetrics(), createMetrics()];
    one.eventStreams.set(3);
    expect(await two.registry.getSingleMetricAsString("event_log_streams")).toContain("event_log_streams 0");
  });

  it("registers every definition and nothing else", () => {
    const names = createMetrics()
      .registry.getMetricsAsArray()
      .map((metric) => metric.name);
    expect(names).toEqual(Object.values(metricDefinitions).map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
  });

  it("refuses a label that was not declared", () => {
    const metrics = createMetrics();
    // @ts-expect-error the compiler knows the labels as well
    expect(() => metrics.completedTasks.inc({ taskId: "x" })).toThrow(/label "taskId" is not included/);
  });

  it("adds the figures of the process where asked", async () => {
    expect(await createMetrics({ process: true }).registry.metrics()).toContain("process_cpu_seconds_total");
  });
});
