// `taskyard graph run`: creates a graph of tasks from a file and follows it until it is finished.
import { basename } from "node:path";
import type { Client } from "../../client/connect.ts";
import { counted } from "../../lib/counted.ts";
import { exitStatus, messageOf } from "../cli-error.ts";
import { colorsFor } from "../colors.ts";
import { command } from "../command.ts";
import { timeBetween } from "../format.ts";
import { writeJson, writeLine, writeLines, type Io } from "../io.ts";
import { parseTaskQueueOption } from "../parse-task-queue.ts";
import { readText } from "../read-text.ts";
import { startSpinner } from "../spinner.ts";
import { connectTarget } from "../target.ts";
import { listenForStop, type StopRequest } from "../stop-request.ts";
import { drawCriticalPath } from "./draw-critical-path.ts";
import { followGraph, listenToGroup } from "./follow-graph.ts";
import type { GraphFile } from "./graph-file.ts";
import { graphProgress, type GraphProgress } from "./graph-progress.ts";
import type { Graph } from "./graph-tasks.ts";
import { watchInactivity } from "./inactivity.ts";
import { countsText, startProgressDisplay } from "./progress-display.ts";
import { submitGraph } from "./submit-graph.ts";

const showCursor = "\u001b[?25h";
const quietMs = 10_000;
/** Failures that are printed one by one. */
const maxFailures = 20;

export const graphRunCommand = command({
  name: "graph run",
  summary: "Run a graph of tasks from a file and show its progress.",
  details: [
    "The file is YAML or JSON: tasks by name, each with a command and the tasks that it needs. docs/guides/graphs.md " +
      "describes the format. Creates either all tasks or none; if the file is invalid, reports every problem with its line.",
    "Exits with 0 if all tasks completed, else with 1. Ctrl-C cancels all unresolved tasks and exits with 130.",
  ],
  args: [{ name: "FILE|-" }],
  options: {
    "dry-run": { type: "flag", summary: "Check the graph, including on the server, but create nothing." },
    "task-queue": {
      type: "value",
      value: "QUEUE",
      summary: "Queue for tasks that name none. Default: local/default.",
    },
    detach: { type: "flag", short: "d", summary: "Print the id of the group and do not wait for it." },
    json: { type: "flag", summary: "Print the result as JSON." },
  },
  examples: [
    { command: "taskyard graph run build.yml", description: "Run a graph and show its progress." },
    { command: "taskyard graph run --dry-run build.yml", description: "Validate a graph." },
  ],
  async run({ options, args, io }) {
    const [file = "-"] = args;
    const taskQueueId = parseTaskQueueOption(options["task-queue"]);
    const source = await readText(file, io);
    // Imported here: the parser takes longer to load than most commands run.
    const { parseYaml } = await import("../parse-yaml.ts");
    const { readGraphFile } = await import("./graph-file.ts");
    const { graphTasks } = await import("./graph-tasks.ts");
    const name = file === "-" ? "graph" : basename(file);
    const parsed = readGraphFile(parseYaml(source, name), name);
    const client = await connectTarget(io);
    const graph = graphTasks(parsed, { now: Date.now(), rootUrl: client.rootUrl, taskQueueId });
    const { taskGroupId } = graph;
    if (options["dry-run"]) {
      const { signal } = new AbortController();
      const { pending } = await submitGraph(client, parsed, graph, { dryRun: true, signal });
      const edges = graph.tasks.reduce((sum, { needs }) => sum + needs.length, 0);
      if (options.json) writeJson(io.stdout, { tasks: graph.tasks.length, edges, pending });
      else
        writeLine(
          io.stdout,
          `${graph.name} is valid: ${counted(graph.tasks.length, "task")}, ${counted(edges, "dependency", "dependencies")}, ${pending} can start immediately`,
        );
      return exitStatus.ok;
    }
    if (options.detach) {
      await submitGraph(client, parsed, graph, { dryRun: false, signal: new AbortController().signal });
      if (options.json) writeJson(io.stdout, { taskGroupId });
      else writeLine(io.stdout, taskGroupId);
      return exitStatus.ok;
    }
    return runGraph({ client, io, parsed, graph, json: options.json });
  },
});

interface GraphRun {
  readonly client: Client;
  readonly io: Io;
  readonly parsed: GraphFile;
  readonly graph: Graph;
  readonly json: boolean;
}

async function runGraph({ client, io, parsed, graph, json }: GraphRun): Promise<number> {
  const { name, taskGroupId, tasks } = graph;
  const colors = colorsFor(io.stderr, io.env);
  const stop = new AbortController();
  const interrupted = listenForStop(io, () => {
    // The spinner hides the cursor.
    if (io.stderr.isTTY === true) io.stderr.write(showCursor);
  });
  const started = new Date().toISOString();
  const progress = graphProgress(tasks);
  try {
    const events = await listenToGroup(client, taskGroupId, stop.signal);
    const spinner = startSpinner(io, `submitting ${counted(tasks.length, "task")}`);
    interrupted.signal.addEventListener(
      "abort",
      () => spinner.update("canceling as soon as it is submitted"),
      { once: true },
    );
    try {
      // Not aborted on Ctrl-C: the server would continue, and nothing would cancel the tasks that it creates.
      await submitGraph(client, parsed, graph, { dryRun: false, signal: stop.signal });
    } finally {
      spinner.stop();
    }
    writeLine(io.stderr, `${name}: ${counted(tasks.length, "task")} in group ${taskGroupId}`);
    const display = startProgressDisplay(io, name, progress);
    const followed = new AbortController();
    const onActivity = watchInactivity({
      ping: () => client.queue.ping({ retries: 0, timeoutMs: quietMs }),
      unservedQueue: () => unservedQueue(graph, progress),
      report: (text) => display.print(text),
      quietMs,
      signal: followed.signal,
    });
    let isCanceled = false;
    const cancel = (): void => {
      isCanceled = true;
      display.print("canceling all unresolved tasks; press Ctrl-C again to exit immediately");
      cancelGroup(client, taskGroupId).catch((error: unknown) => {
        isCanceled = false;
        display.print(`could not cancel group ${taskGroupId}: ${messageOf(error)}`);
      });
    };
    if (interrupted.signal.aborted) cancel();
    else interrupted.signal.addEventListener("abort", cancel, { once: true });
    let failures = 0;
    try {
      await followGraph(
        {
          client,
          taskGroupId,
          progress,
          // After a cancellation, tasks that wait for a failed one are resolved too.
          isFinished: () => (isCanceled ? progress.isResolved() : progress.isFinished()),
          onChange({ task, state, reason }) {
            onActivity();
            const hasFailed = (state === "failed" || state === "exception") && !interrupted.signal.aborted;
            if (hasFailed && failures++ < maxFailures) {
              const why = state === "failed" ? "failed" : (reason ?? state);
              display.print(`${colors.red(why)}  ${task.name}  taskyard task log ${task.taskId}`);
            }
            display.update();
          },
        },
        events,
        stop.signal,
      );
    } catch (error) {
      display.print(
        `lost contact with group ${taskGroupId}, which may continue: taskyard group status ${taskGroupId}`,
      );
      throw error;
    } finally {
      followed.abort();
      display.stop();
      interrupted.signal.removeEventListener("abort", cancel);
    }
    const ended = new Date().toISOString();
    const status = exitStatusOf(progress, interrupted);
    writeLine(
      io.stderr,
      `${name}: ${counted(progress.total, "task")} in ${timeBetween(started, ended)}: ${resultText(progress)}`,
    );
    if (json) writeJson(io.stdout, resultOf(graph, progress, status));
    else await printCriticalPath(client, taskGroupId, io);
    return status;
  } catch (error) {
    if (interrupted.signal.aborted) return interrupted.status();
    throw error;
  } finally {
    stop.abort();
    interrupted.dispose();
  }
}

function unservedQueue({ requests }: Graph, { counts, of }: GraphProgress): string | undefined {
  if (counts.running > 0) return undefined;
  return requests.find(({ taskId }) => of(taskId)?.state === "pending")?.task.taskQueueId;
}

/** A group must be sealed before it can be canceled. Nothing else adds tasks to this one. */
async function cancelGroup({ queue }: Client, taskGroupId: string): Promise<void> {
  await queue.sealTaskGroup({ taskGroupId });
  await queue.cancelTaskGroup({ taskGroupId });
}

function exitStatusOf({ counts, total, all }: GraphProgress, stop: StopRequest): number {
  if (counts.completed === total) return exitStatus.ok;
  const wasCanceled = [...all()].some(({ reason }) => reason === "canceled");
  return stop.signal.aborted && wasCanceled ? stop.status() : exitStatus.failure;
}

/**
 * Formats the final counts. If all exceptions have the same reason, shows that reason. Tasks that still wait never run
 * unless the failed ones are rerun.
 */
function resultText({ counts, all }: GraphProgress): string {
  const reasons = new Set([...all()].flatMap(({ state, reason }) => (state === "exception" ? [reason] : [])));
  const [why = "exception"] = reasons.size === 1 ? reasons : [];
  return countsText(counts)
    .replace("exception", why)
    .replace("waiting", "not run because of failed dependencies");
}

async function printCriticalPath({ queue }: Client, taskGroupId: string, io: Io): Promise<void> {
  const { summary, asOf } = await queue.taskGroupTimeline(
    { taskGroupId },
    { query: { limit: 1 }, timeoutMs: 60_000 },
  );
  if (!summary) return;
  const colors = colorsFor(io.stdout, io.env);
  writeLines(io.stdout, drawCriticalPath(summary, asOf, colors, io.stdout.columns ?? 100));
}

function resultOf({ name, taskGroupId }: Graph, progress: GraphProgress, status: number): object {
  const tasks = Object.fromEntries(
    [...progress.all()].map(({ task, state, reason }) => [task.name, { taskId: task.taskId, state, reason }]),
  );
  return { name, taskGroupId, exitStatus: status, counts: progress.counts, tasks };
}
