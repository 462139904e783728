import { describe, expect, it } from "vitest";
import { createMetrics, declareMetrics } from "./metrics.ts";

const queueMetrics = {
  completedTasks: {
    type: "counter",
    name: "queue_completed_tasks",
    help: "Completed runs",
    labels: { provisionerId: "First half", workerType: "Second half" },
  },
} as const;

describe("createMetrics", () => {
  it("shows counts with their labels", async () => {
    const metrics = createMetrics();
    const { completedTasks } = declareMetrics(metrics.registry, queueMetrics);
    completedTasks.inc({ provisionerId: "proj", workerType: "ci" });
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

  it("gives each server separate figures", async () => {
    const [one, two] = [createMetrics(), createMetrics()];
    one.errors.inc({ prefix: "queue" });
    expect(await one.registry.getSingleMetricAsString("errors_reported_total")).toContain(
      '{prefix="queue"} 1',
    );
    expect(await two.registry.getSingleMetricAsString("errors_reported_total")).not.toContain("queue");
  });

  it("shares a metric that is declared again, as by a second server of the process", async () => {
    const { registry } = createMetrics();
    const labels = { provisionerId: "proj", workerType: "ci" };
    declareMetrics(registry, queueMetrics).completedTasks.inc(labels);
    declareMetrics(registry, queueMetrics).completedTasks.inc(labels);
    expect(await registry.metrics()).toContain(
      'queue_completed_tasks{provisionerId="proj",workerType="ci"} 2',
    );
  });

  it("refuses a label that was not declared", () => {
    const metrics = declareMetrics(createMetrics().registry, queueMetrics);
    // @ts-expect-error the compiler knows the labels as well
    expect(() => metrics.completedTasks.inc({ taskId: "x" })).toThrow(/label "taskId" is not included/);
  });

  it("adds the figures of the process where asked", async () => {
    expect(await createMetrics({ process: true }).registry.metrics()).toContain("process_cpu_seconds_total");
  });
});
