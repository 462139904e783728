// A real monitor whose log a test can read.
import { createLog } from "../../src/server/core/log.ts";
import { createMetrics } from "../../src/server/core/metrics.ts";
import { createMonitor, type ErrorSink, type Monitor } from "../../src/server/core/monitor.ts";

/** A monitor with metrics of its own, and every record that it logged so far, from level trace on. */
export function testMonitor(sink?: ErrorSink): { monitor: Monitor; records: Record<string, unknown>[] } {
  const records: Record<string, unknown>[] = [];
  const log = createLog({
    level: "trace",
    format: "json",
    destination: { write: (line) => records.push(JSON.parse(line)) },
  });
  const metrics = createMetrics();
  return { monitor: createMonitor(sink === undefined ? { log, metrics } : { log, metrics, sink }), records };
}
