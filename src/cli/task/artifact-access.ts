// Finds and lists artifacts of a run, whatever stores them.
import type { Artifact } from "../../api/queue/artifacts.ts";
import { ClientError } from "../../client/client-error.ts";
import type { Client } from "../../client/connect.ts";
import { CliError, UsageError } from "../cli-error.ts";
import { paginate } from "../paginate.ts";

/** Returns the run that `--run` names, or undefined for the latest. */
export function parseRunId(option: string | undefined): number | undefined {
  if (option === undefined) return undefined;
  if (/^\d{1,4}$/.test(option)) return Number(option);
  throw new UsageError(`--run ${option}: must be the number of a run; the first is 0`);
}

/** Lists all artifacts, sorted by name. */
export async function listArtifacts(
  { queue }: Client,
  taskId: string,
  runId: number | undefined,
): Promise<readonly Artifact[]> {
  const all: Artifact[] = [];
  const list = paginate((query) =>
    runId === undefined
      ? queue.listLatestArtifacts({ taskId }, { query })
      : queue.listArtifacts({ taskId, runId }, { query }),
  );
  for await (const page of list) all.push(...page.artifacts);
  return all;
}

/** Where the content of an artifact can be fetched now. */
export interface ArtifactSource {
  readonly url: string;
  readonly storageType: string;
}

/** Finds an artifact. Returns undefined if there is none. Throws if it exists without content. */
export async function findArtifact(
  { queue }: Client,
  taskId: string,
  runId: number | undefined,
  name: string,
  signal?: AbortSignal,
): Promise<ArtifactSource | undefined> {
  try {
    return await (runId === undefined
      ? queue.getLatestArtifact({ taskId, name }, { signal })
      : queue.getArtifact({ taskId, runId, name }, { signal }));
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (error.statusCode === 404) return undefined;
    throw explainNoContent(error, name);
  }
}

/** Returns an error for the user if an artifact only records why it has no content. Returns any other error unchanged. */
export function explainNoContent(error: ClientError, name: string): Error {
  // 424 is the status of the methods that redirect. Their replies have their own format.
  if (error.code !== "NoContent" && error.statusCode !== 424) return error;
  return new CliError(
    `${name} has no content: ${reasonIn(error.body)}. See the log of the task, or rerun it.`,
    { cause: error },
  );
}

function reasonIn(body: unknown): string {
  if (typeof body !== "object" || body === null) return "the worker could not upload it";
  const { reason, message }: { reason?: unknown; message?: unknown } = body;
  return [reason, message].filter((part) => typeof part === "string" && part !== "").join(": ");
}
