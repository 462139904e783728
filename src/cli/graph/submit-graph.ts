// Hands a graph to the queue, and tells its faults in the words of the file.
import type { CreateTasksReply } from "../../api/queue/graph.ts";
import { ClientError } from "../../client/client-error.ts";
import type { Client } from "../../client/connect.ts";
import { CliError, listProblems } from "../cli-error.ts";
import { byteSize } from "../format.ts";
import type { GraphFile } from "./graph-file.ts";
import type { Graph } from "./graph-tasks.ts";

/** Ten thousand tasks take seconds, and a busy server more. */
const timeoutMs = 120_000;

export async function submitGraph(
  client: Client,
  file: GraphFile,
  { requests }: Graph,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<CreateTasksReply> {
  try {
    // Repeated where no answer came: the same tasks are not made twice.
    return await client.queue.createTasks({ tasks: [...requests], dryRun }, { timeoutMs, signal });
  } catch (error) {
    if (error instanceof ClientError && error.statusCode === 413)
      throw new CliError(
        `the graph is too large for one call: ${requests.length} tasks of ${byteSize(JSON.stringify(requests).length)} together`,
        { cause: error },
      );
    const faults = faultsOf(error);
    if (!faults) throw error;
    const lines = linesOf(faults.list, file);
    if (faults.more > 0) lines.push(`… and ${faults.more} more`);
    throw new CliError(`the graph was refused, and nothing was created:\n${listProblems(lines)}`, {
      cause: error,
    });
  }
}

/** A line for each fault; those that many tasks have, since the file has them once, are told of the first. */
function linesOf(faults: Told["list"], file: GraphFile): string[] {
  const repeats = new Map<string, { readonly line: string; count: number }>();
  for (const { path, message } of faults) {
    const [, index = "", member = ""] = /^tasks\[(\d+)\](?:\.task)?\.?(.*)$/.exec(path) ?? [];
    const task = file.tasks[Number(index)];
    const where = task && file.problems.place([...task.path, memberInFile(member)]);
    const text = `${inWords(message, file)}${member === "" ? "" : ` (${member.replace(/^dependencies\b/, "needs")})`}`;
    const key = `${where ?? path} ${text}`;
    const before = repeats.get(key);
    if (before) before.count++;
    else
      repeats.set(key, { line: task ? `${where}: ${task.name}: ${text}` : `${path}: ${message}`, count: 0 });
  }
  return [...repeats.values()].map(({ line, count }) =>
    count === 0 ? line : `${line}, and ${count} like it`,
  );
}

/** The member of the file that a member of the definition was made from. */
function memberInFile(member: string): string {
  const [first = ""] = member.split(/[.[]/);
  return first === "dependencies" ? "needs" : first;
}

/** `tasks[3] (its id)` is nobody's name for a task. */
const inWords = (message: string, { tasks }: GraphFile): string =>
  message.replaceAll(
    /tasks\[(\d+)\](?: \([\w-]{22}\))?/g,
    (all, index: string) => tasks[Number(index)]?.name ?? all,
  );

interface Told {
  readonly list: readonly { readonly path: string; readonly message: string }[];
  readonly more: number;
}

function faultsOf(error: unknown): Told | undefined {
  if (!(error instanceof ClientError)) return undefined;
  const { body } = error;
  if (typeof body !== "object" || body === null || !("details" in body)) return undefined;
  const { details } = body;
  if (typeof details !== "object" || details === null || !("faults" in details)) return undefined;
  // The form that the method's description promises.
  const { faults: list, more } = details as { faults: Told["list"]; more: number };
  return { list, more };
}
