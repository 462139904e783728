// Errors of worker pools, as workers report them, and their statistics.
import Type, { type Static } from "typebox";
import { Slugid } from "../queue/task.ts";
import { DateTime, exactly, named, oneOf } from "../schema.ts";
import { AnyObject, Identifier, WorkerPoolId } from "./pools.ts";

const described = {
  kind: Type.String({ maxLength: 128, pattern: "[-a-z0-9]+" }),
  title: Type.String({ maxLength: 128 }),
  description: Type.String({ maxLength: 10_240, examples: ["The folder /data has no space left."] }),
  extra: AnyObject,
};

const PoolError = exactly({
  workerPoolId: WorkerPoolId,
  errorId: Slugid,
  reported: DateTime,
  ...described,
  launchConfigId: Type.Optional(Identifier),
});
export type PoolError = Static<typeof PoolError>;

const ReportRequest = exactly({ workerGroup: Identifier, workerId: Identifier, ...described });
export type ReportRequest = Static<typeof ReportRequest>;

const Numbers = Type.Unsafe<Readonly<Record<string, number>>>({ type: "object" });
const Stats = exactly({
  workerPoolId: oneOf(WorkerPoolId, Type.Unsafe<"">({ type: "string", const: "" })),
  totals: exactly(
    {
      total: Type.Number(),
      daily: Numbers,
      hourly: Numbers,
      title: Numbers,
      code: Numbers,
      launchConfig: Numbers,
      workerPool: Numbers,
    },
    {
      examples: [
        {
          total: 3,
          daily: { "2026-01-31": 3 },
          hourly: { "2026-01-31T12:00:00.000Z": 3 },
          title: { "The disk is full": 3 },
          code: { ENOSPC: 3 },
          launchConfig: { "lc-1": 3 },
          workerPool: { "proj-app/linux": 3 },
        },
      ],
    },
  ),
});
export type ErrorStats = Static<typeof Stats>;

export const { kind: ErrorKind, title: ErrorTitle } = described;
export const poolErrorFile = named("v1/worker-pool-error.json", PoolError);
export const reportErrorFile = named("v1/report-worker-error-request.json", ReportRequest);
export const poolErrorListFile = named(
  "v1/worker-pool-error-list.json",
  exactly({
    workerPoolErrors: Type.Array(PoolError, { uniqueItems: true }),
    continuationToken: Type.Optional(Type.String()),
  }),
);
export const errorStatsFile = named("v1/worker-pool-error-stats.json", Stats);
