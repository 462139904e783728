// A real monitor whose log records a test can read.
import { createLog } from "../../src/server/core/log.ts";
import { createMetrics } from "../../src/server/core/metrics.ts";
import { createMonitor, type ErrorSink, type Monitor } from "../../src/server/core/monitor.ts";

/** Creates a monitor with separate metrics. `records` collects every log record, from level trace on. */
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
