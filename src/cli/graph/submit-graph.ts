// Submits a graph to the queue, and translates the faults that the queue reports into names and positions in the file.
import type { CreateTasksReply } from "../../api/queue/graph.ts";
import { ClientError } from "../../client/client-error.ts";
import type { Client } from "../../client/connect.ts";
import { counted } from "../../lib/counted.ts";
import { CliError, listProblems } from "../cli-error.ts";
import { byteSize } from "../format.ts";
import type { GraphFile } from "./graph-file.ts";
import type { Graph } from "./graph-tasks.ts";
import { placeOf } from "./place-of.ts";

/** Creating ten thousand tasks takes seconds, and longer on a busy server. */
const timeoutMs = 120_000;

export async function submitGraph(
  client: Client,
  file: GraphFile,
  { requests }: Graph,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<CreateTasksReply> {
  try {
    // Safe to retry without a reply: the call is idempotent.
    return await client.queue.createTasks({ tasks: [...requests], dryRun }, { timeoutMs, signal });
  } catch (error) {
    if (error instanceof ClientError && error.statusCode === 413)
      throw new CliError(
        `the graph is too large for one call: ${counted(requests.length, "task")} with ${byteSize(JSON.stringify(requests).length)} in total. Split it into several files.`,
        { cause: error },
      );
    const faults = faultsOf(error);
    if (!faults) throw error;
    const lines = faultLines(faults.list, file);
    if (faults.more > 0) lines.push(`… and ${faults.more} more`);
    // oxlint-disable-next-line messages/next-step -- each fault states what would be right
    throw new CliError(`the graph was rejected, and nothing was created:\n${listProblems(lines)}`, {
      cause: error,
    });
  }
}

/** Formats one line per fault. A fault that one position in the file causes for many tasks is listed for the first only. */
function faultLines(faults: Faults["list"], file: GraphFile): string[] {
  const repeats = new Map<string, { readonly line: string; count: number }>();
  for (const { path, message } of faults) {
    const [, index = "", member = ""] = /^tasks\[(\d+)\](?:\.task)?\.?(.*)$/.exec(path) ?? [];
    const task = file.tasks[Number(index)];
    const position = task && file.problems.positionOf(placeOf(file, task, [memberInFile(member)]));
    const text = `${withTaskNames(message, file)}${member === "" ? "" : ` (${member.replace(/^dependencies\b/, "needs")})`}`;
    const key = `${position ?? path} ${text}`;
    const before = repeats.get(key);
    if (before) before.count++;
    else
      repeats.set(key, {
        line: task ? `${position}: ${task.name}: ${text}` : `${path}: ${message}`,
        count: 0,
      });
  }
  return [...repeats.values()].map(({ line, count }) =>
    count === 0 ? line : `${line}, and ${count} more like it`,
  );
}

/** Returns the member of the file from which a member of the definition was derived. */
function memberInFile(member: string): string {
  const [first = ""] = member.split(/[.[]/);
  return first === "dependencies" ? "needs" : first;
}

/** Replaces `tasks[3] (TASK_ID)` with the name of the task. */
const withTaskNames = (message: string, { tasks }: GraphFile): string =>
  message.replaceAll(
    /tasks\[(\d+)\](?: \([\w-]{22}\))?/g,
    (all, index: string) => tasks[Number(index)]?.name ?? all,
  );

interface Faults {
  readonly list: readonly { readonly path: string; readonly message: string }[];
  readonly more: number;
}

function faultsOf(error: unknown): Faults | undefined {
  if (!(error instanceof ClientError)) return undefined;
  const { body } = error;
  if (typeof body !== "object" || body === null || !("details" in body)) return undefined;
  const { details } = body;
  if (typeof details !== "object" || details === null || !("faults" in details)) return undefined;
  // The format is part of the method's contract.
  const { faults: list, more } = details as { faults: Faults["list"]; more: number };
  return { list, more };
}
