// Task definitions for load. At about 700 bytes they are as large as small real ones.
import { slugid } from "../src/lib/slugid.ts";

const hour = 3_600_000;

export interface BenchTask {
  readonly taskId: string;
  readonly definition: Readonly<Record<string, unknown>>;
}

/** Returns a new task for `taskQueueId`; `more` overrides members of its definition. */
export function benchTask(taskQueueId: string, more: Readonly<Record<string, unknown>> = {}): BenchTask {
  const now = Date.now();
  return {
    taskId: slugid(),
    definition: {
      taskQueueId,
      created: new Date(now).toISOString(),
      deadline: new Date(now + hour).toISOString(),
      expires: new Date(now + 24 * hour).toISOString(),
      payload: {
        command: [["/bin/sh", "-c", "make -C $SOURCE check TESTS=unit && cp -r reports $TASK_WORKDIR/out"]],
        maxRunTime: 3600,
        env: { SOURCE: "/builds/source", MODE: "release", LEVEL: "3" },
        artifacts: [{ type: "directory", name: "public/reports", path: "out" }],
      },
      metadata: {
        name: "unit tests",
        description: "Runs the unit tests of one folder and keeps their reports.",
        owner: "nobody@example.com",
        source: "https://example.com/source",
      },
      ...more,
    },
  };
}
