// `taskyard graph run`: a graph of tasks from a file, followed to its end.
import { basename } from "node:path";
import type { Client } from "../../client/connect.ts";
import { exitStatus, messageOf } from "../cli-error.ts";
import { timeBetween } from "../format.ts";
import { command } from "../command.ts";
import { type Io, writeJson, writeLine, writeLines } from "../io.ts";
import { colorsFor } from "../colors.ts";
import { startSpinner } from "../spinner.ts";
import { readText } from "../read-text.ts";
import { parseTaskQueueId } from "../run/parse-options.ts";
import { connectTarget } from "../target.ts";
import { countsInWords, startProgressDisplay } from "./progress-display.ts";
import { drawCriticalPath } from "./draw-critical-path.ts";
import { followGraph, listenTo } from "./follow-graph.ts";
import type { GraphFile } from "./graph-file.ts";
import type { Graph } from "./graph-tasks.ts";
import { graphProgress, type GraphProgress } from "./graph-progress.ts";
import { watchInactivity } from "./inactivity.ts";
import { submitGraph } from "./submit-graph.ts";

const showCursor = "\u001b[?25h";
const quietMs = 10_000;
/** Failures that are told one by one. */
const maxFailures = 20;

export const graphRunCommand = command({
  name: "graph run",
  summary: "Run a graph of tasks from a file, and show how it comes along.",
  details: [
    "The file is YAML or JSON: tasks by name, each with a command and what it needs. docs/guides/graphs.md describes it. " +
      "All tasks are created at once, or none, with every mistake and its line.",
    "Exits with 0 if all tasks completed, else with 1. Ctrl-C cancels what is not done, and exits with 130.",
  ],
  args: [{ name: "FILE|-" }],
  options: {
    "dry-run": { type: "flag", summary: "Only check the graph, here and by the server; create nothing." },
    "task-queue": {
      type: "value",
      value: "QUEUE",
      summary: "The queue of tasks that name none. Default: local/default.",
    },
    detach: { type: "flag", short: "d", summary: "Print the id of the group and do not wait for it." },
    json: { type: "flag", summary: "Print the outcome as JSON." },
  },
  examples: [
    { command: "taskyard graph run build.yml", says: "Run it, and watch." },
    { command: "taskyard graph run --dry-run build.yml", says: "Is it right?" },
  ],
  async run({ options, args, io }) {
    const [file = "-"] = args;
    const taskQueueId = parseTaskQueueId(options["task-queue"] ?? "local/default");
    const source = await readText(file, io);
    // Loaded here, since the parser takes longer to load than most commands run.
    const { parseYaml } = await import("../parse-yaml.ts");
    const { readGraphFile } = await import("./graph-file.ts");
    const { graphTasks } = await import("./graph-tasks.ts");
    const name = file === "-" ? "graph" : basename(file);
    const parsed = readGraphFile(parseYaml(source, name), name);
    const client = await connectTarget(io);
    const graph = graphTasks(parsed, { now: Date.now(), rootUrl: client.rootUrl, taskQueueId });
    const { taskGroupId } = graph;
    const count = `${graph.tasks.length} ${graph.tasks.length === 1 ? "task" : "tasks"}`;
    if (options["dry-run"]) {
      const { signal } = new AbortController();
      const { pending } = await submitGraph(client, parsed, graph, { dryRun: true, signal });
      const edges = graph.tasks.reduce((sum, { needs }) => sum + needs.length, 0);
      if (options.json) writeJson(io.stdout, { tasks: graph.tasks.length, edges, pending });
      else
        writeLine(
          io.stdout,
          `${graph.name} is fine: ${count}, ${edges} dependencies, ${pending} can begin at once`,
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

interface Running {
  readonly client: Client;
  readonly io: Io;
  readonly parsed: GraphFile;
  readonly graph: Graph;
  readonly json: boolean;
}

async function runGraph({ client, io, parsed, graph, json }: Running): Promise<number> {
  const { name, taskGroupId, tasks } = graph;
  const colors = colorsFor(io.stderr, io.env);
  const stop = new AbortController();
  const interrupted = new AbortController();
  const restore = io.onStop(() => {
    if (interrupted.signal.aborted) {
      // The sign of life hides it.
      if (io.stderr.isTTY === true) io.stderr.write(showCursor);
      io.exit(exitStatus.interrupted);
    }
    interrupted.abort();
  });
  const began = new Date().toISOString();
  const progress = graphProgress(tasks);
  try {
    const listening = await listenTo(client, taskGroupId, stop.signal);
    const submitting = startSpinner(io, `submitting ${tasks.length} tasks`);
    interrupted.signal.addEventListener("abort", () => submitting.step("canceling when it is submitted"), {
      once: true,
    });
    try {
      // Not given up at Ctrl-C: the server would go on, and nobody would cancel what it creates.
      await submitGraph(client, parsed, graph, { dryRun: false, signal: stop.signal });
    } finally {
      submitting.stop();
    }
    writeLine(io.stderr, `${name}: ${tasks.length} tasks in group ${taskGroupId}`);
    const display = startProgressDisplay(io, name, progress);
    const seen = new AbortController();
    const heard = watchInactivity({
      ping: () => client.queue.ping({ retries: 0, timeoutMs: quietMs }),
      unserved: () => unservedQueue(graph, progress),
      tell: (text) => display.writeLine(text),
      quietMs,
      signal: seen.signal,
    });
    let isCanceled = false;
    const cancel = (): void => {
      isCanceled = true;
      display.writeLine(`canceling what is not done; Ctrl-C again leaves at once`);
      cancelGroup(client, taskGroupId).catch((error: unknown) => {
        isCanceled = false;
        display.writeLine(`could not cancel group ${taskGroupId}: ${messageOf(error)}`);
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
          // What waits for a failed task is canceled with the rest.
          isOver: () => (isCanceled ? progress.isResolved() : progress.isOver()),
          onChange({ task, state, reason }) {
            heard();
            const hasFailed = (state === "failed" || state === "exception") && !interrupted.signal.aborted;
            if (hasFailed && failures++ < maxFailures) {
              const why = state === "failed" ? "failed" : (reason ?? state);
              display.writeLine(`${colors.red(why)}  ${task.name}  taskyard task log ${task.taskId}`);
            }
            display.changed();
          },
        },
        listening,
        stop.signal,
      );
    } catch (error) {
      display.writeLine(
        `lost sight of group ${taskGroupId}, which may go on: taskyard group status ${taskGroupId}`,
      );
      throw error;
    } finally {
      seen.abort();
      display.stop();
      interrupted.signal.removeEventListener("abort", cancel);
    }
    const hasEnded = new Date().toISOString();
    const status = outcomeOf(progress, interrupted.signal.aborted);
    writeLine(
      io.stderr,
      `${name}: ${progress.total} tasks in ${timeBetween(began, hasEnded)}: ${inWords(progress)}`,
    );
    if (json) writeJson(io.stdout, outcome(graph, progress, status));
    else await printCriticalPath(client, taskGroupId, io);
    return status;
  } catch (error) {
    if (interrupted.signal.aborted) return exitStatus.interrupted;
    throw error;
  } finally {
    stop.abort();
    restore();
  }
}

function unservedQueue({ requests }: Graph, { counts, of }: GraphProgress): string | undefined {
  if (counts.running > 0) return undefined;
  return requests.find(({ taskId }) => of(taskId)?.state === "pending")?.task.taskQueueId;
}

/** A group must be sealed to be canceled; nobody adds to this one. */
async function cancelGroup({ queue }: Client, taskGroupId: string): Promise<void> {
  await queue.sealTaskGroup({ taskGroupId });
  await queue.cancelTaskGroup({ taskGroupId });
}

function outcomeOf({ counts, total, all }: GraphProgress, wasInterrupted: boolean): number {
  if (counts.completed === total) return exitStatus.ok;
  const wasCanceled = [...all()].some(({ reason }) => reason === "canceled");
  return wasInterrupted && wasCanceled ? exitStatus.interrupted : exitStatus.failure;
}

/**
 * `canceled` says more than `exception`, where that is why they all ended so. What still waits at the end never runs,
 * unless what failed is run again.
 */
function inWords({ counts, all }: GraphProgress): string {
  const reasons = new Set([...all()].flatMap(({ state, reason }) => (state === "exception" ? [reason] : [])));
  const [why = "exception"] = reasons.size === 1 ? reasons : [];
  return countsInWords(counts)
    .replace("exception", why)
    .replace("waiting", "did not run, since what they need failed");
}

async function printCriticalPath({ queue }: Client, taskGroupId: string, io: Io): Promise<void> {
  const { summary, asOf } = await queue.taskGroupTimeline(
    { taskGroupId },
    { query: { limit: 1 }, timeoutMs: 60_000 },
  );
  if (summary)
    writeLines(
      io.stdout,
      drawCriticalPath(summary, asOf, colorsFor(io.stdout, io.env), io.stdout.columns ?? 100),
    );
}

function outcome({ name, taskGroupId }: Graph, progress: GraphProgress, status: number): object {
  const tasks = Object.fromEntries(
    [...progress.all()].map(({ task, state, reason }) => [task.name, { taskId: task.taskId, state, reason }]),
  );
  return { name, taskGroupId, exitStatus: status, counts: progress.counts, tasks };
}
