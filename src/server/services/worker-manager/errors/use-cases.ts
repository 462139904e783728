// reportWorkerError, listWorkerPoolErrors and workerPoolErrorStats.
import type { QueryOf, ReplyOf } from "../../../../api/endpoint.ts";
import type { ErrorStats, PoolError, ReportRequest } from "../../../../api/worker-manager/errors.ts";
import { workerManagerApi } from "../../../../api/worker-manager/index.ts";
import { slugid } from "../../../../lib/slugid.ts";
import type { Caller } from "../../../core/caller.ts";
import { parseJson } from "../../../core/json.ts";
import { decodePage, fullPageOf } from "../../../core/pagination.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { WorkerManagerContext } from "../context.ts";
import { readPool } from "../pools/store/pools.ts";
import { unknownPool } from "../pools/unknown-pool.ts";
import { record } from "../records.ts";
import { readWorker } from "../workers/store/workers.ts";
import { countErrors, insertError, listErrors } from "./store.ts";

const { endpoints } = workerManagerApi;
const PAGE = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Titles and codes are chosen by workers, so their number is bounded. */
const MAX_NAMES = 1000;
/** Time and id of the last error of a page. */
const POSITION = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [\w-]{22}$/;
const END = { reported: "9999-12-31T23:59:59.999Z", errorId: "" };

type Context = Pick<WorkerManagerContext, "db" | "clock" | "monitor">;

export const errorUseCases = (ctx: Context) => ({
  async reportWorkerError(
    caller: Caller,
    workerPoolId: string,
    { workerGroup, workerId, ...report }: ReportRequest,
  ): Promise<PoolError> {
    caller.authorize(endpoints.reportWorkerError, { workerPoolId, workerGroup, workerId });
    const pool = await readPool(ctx.db, workerPoolId);
    if (pool === undefined) throw unknownPool(workerPoolId);
    const worker = { workerPoolId, workerGroup, workerId };
    const launchConfigId = (await readWorker(ctx.db, worker))?.launch_config_id ?? null;
    const errorId = slugid();
    const reported = timestamp(ctx);
    const extra = { ...report.extra, workerGroup, workerId };
    const stored = { ...report, extra };
    const { provider_id: providerId } = pool;
    await insertError(ctx.db, { errorId, worker, providerId, launchConfigId, reported, report: stored });
    record(ctx, "worker-error", { workerPoolId, errorId, kind: report.kind });
    const ofLaunchConfig = launchConfigId === null ? {} : { launchConfigId };
    return { workerPoolId, errorId, reported, ...stored, ...ofLaunchConfig };
  },

  async listWorkerPoolErrors(
    caller: Caller,
    workerPoolId: string,
    { launchConfigId, errorId, ...query }: QueryOf<typeof endpoints.listWorkerPoolErrors>,
  ): Promise<ReplyOf<typeof endpoints.listWorkerPoolErrors>> {
    caller.authorize(endpoints.listWorkerPoolErrors, { workerPoolId });
    const { after, limit } = decodePage(query, PAGE, POSITION);
    const [reported = "", id = ""] = after.split(" ");
    const before = after === "" ? END : { reported, errorId: id };
    const filter = {
      ...(launchConfigId !== undefined && { launchConfigId }),
      ...(errorId !== undefined && { errorId }),
    };
    const read = await listErrors(ctx.db, workerPoolId, filter, before, limit + 1);
    const { rows, more } = fullPageOf(
      read,
      limit,
      "report",
      (row) => `${row.reported.toISOString()} ${row.error_id}`,
    );
    return {
      workerPoolErrors: rows.map((row) => ({
        workerPoolId,
        errorId: row.error_id,
        reported: row.reported.toISOString(),
        ...parseJson(row.report),
        ...(row.launch_config_id !== null && { launchConfigId: row.launch_config_id }),
      })),
      ...more,
    };
  },

  async workerPoolErrorStats(caller: Caller, workerPoolId: string | undefined): Promise<ErrorStats> {
    caller.authorize(endpoints.workerPoolErrorStats, { workerPoolId: workerPoolId ?? "*" });
    const now = ctx.clock.now();
    const today = now - (now % DAY_MS);
    const thisHour = now - (now % HOUR_MS);
    const iso = (time: number): string => new Date(time).toISOString();
    const days = Array.from({ length: 7 }, (_, i) => iso(today - (6 - i) * DAY_MS).slice(0, 10));
    const hours = Array.from({ length: 24 }, (_, i) => iso(thisHour - (23 - i) * HOUR_MS));
    const rows = await countErrors(ctx.db.reports, workerPoolId, {
      since: iso(today - 6 * DAY_MS),
      hourly: iso(thisHour - 23 * HOUR_MS),
      most: MAX_NAMES,
    });
    const numbers = (kind: string, names: readonly string[] = []): Record<string, number> => ({
      ...Object.fromEntries(names.map((name) => [name, 0])),
      ...Object.fromEntries(rows.filter(({ what }) => what === kind).map((row) => [row.name, row.number])),
    });
    return {
      workerPoolId: workerPoolId ?? "",
      totals: {
        total: numbers("total")[""] ?? 0,
        daily: numbers("daily", days),
        hourly: numbers("hourly", hours),
        title: numbers("title"),
        code: numbers("code"),
        launchConfig: numbers("launchConfig"),
        workerPool: numbers("workerPool"),
      },
    };
  },
});
