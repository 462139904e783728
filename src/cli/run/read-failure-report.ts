// Reads the failure report that `taskyard run` requests with each task.
import type { Client } from "../../client/connect.ts";
import { waitingClock } from "../../lib/clock.ts";
import { retry } from "../../lib/retry.ts";
import { parseFailureReport, type FailureReport } from "../../worker/failure-report.ts";
import { findArtifact } from "../task/artifact-access.ts";
import { InternalError } from "../../lib/internal-error.ts";

/** Below `public/`, so that everyone who may read the log may read it: it contains nothing that the log does not. */
export const failureReportArtifact = "public/taskyard/failure-report.json";

const timeoutMs = 10_000;
const backoff = { baseMs: 100, maxMs: 2000, jitter: 0.25 };

/**
 * Returns the report of a run, or undefined if there is none or it cannot be read. Workers other than ours write none, so
 * that is not an error: without a report the exit status follows from the state of the task.
 */
export async function readFailureReport(
  client: Client,
  taskId: string,
  runId: number,
): Promise<FailureReport | undefined> {
  try {
    const source = await findArtifact(client, taskId, runId, failureReportArtifact);
    if (source === undefined) return undefined;
    const retrying = { tries: 4, retryable: () => true, delay: { clock: waitingClock, backoff } };
    return await retry(retrying, async () => {
      const response = await fetch(source.url, { signal: AbortSignal.timeout(timeoutMs) });
      if (!response.ok) throw new InternalError(`${source.url} returned ${response.status}`);
      return parseFailureReport(await response.json());
    });
  } catch {
    return undefined;
  }
}
