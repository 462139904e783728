// `taskyard graph run`: creates a graph of tasks from a file and follows it until it is finished.
import { basename } from "node:path";
import { counted } from "../../lib/counted.ts";
import type { Client } from "../../client/connect.ts";
import { exitStatus } from "../cli-error.ts";
import { command } from "../command.ts";
import { writeJson, writeLine, type Io } from "../io.ts";
import { parseTaskQueueOption } from "../parse-task-queue.ts";
import { readText } from "../read-text.ts";
import { sendSource } from "../run/send-source.ts";
import { startSpinner, type Spinner } from "../spinner.ts";
import { connectTarget } from "../target.ts";
import { untilStopped, type StopScope } from "../stop-request.ts";
import { listenToGroup } from "./follow-graph.ts";
import type { GraphFile } from "./graph-file.ts";
import { graphProgress } from "./graph-progress.ts";
import type { Graph } from "./graph-tasks.ts";
import { submitGraph } from "./submit-graph.ts";
import { watchGroup } from "./watch-group.ts";

const showCursor = "\u001b[?25h";

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
    "cwd-tarball": {
      type: "flag",
      summary: "Run the tasks in copies of the current folder, without the files that git ignores.",
    },
    detach: { type: "flag", short: "d", summary: "Print the id of the group and do not wait for it." },
    json: { type: "flag", summary: "Print the result as JSON." },
  },
  examples: [
    { command: "taskyard graph run build.yml", description: "Run a graph and show its progress." },
    {
      command: "taskyard graph run --cwd-tarball build.yml",
      description: "Run each task in a copy of the current folder.",
    },
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
    const folder = options["cwd-tarball"] ? io.cwd : undefined;
    return runGraph({ client, io, parsed, graph, folder, detach: options.detach, json: options.json });
  },
});

interface GraphRun {
  readonly client: Client;
  readonly io: Io;
  readonly parsed: GraphFile;
  readonly graph: Graph;
  /** The folder to send. Undefined: none. */
  readonly folder: string | undefined;
  readonly detach: boolean;
  readonly json: boolean;
}

function runGraph(run: GraphRun): Promise<number> {
  const { stderr } = run.io;
  return untilStopped(
    run.io,
    (scope) => submitAndWatch(run, scope),
    () => {
      // The spinner hides the cursor.
      if (stderr.isTTY === true) stderr.write(showCursor);
    },
  );
}

// Calls use `ended` and not the request to stop: after it, the tasks are canceled and followed to their end.
async function submitAndWatch(run: GraphRun, { stop, ended }: StopScope): Promise<number> {
  const { client, io, parsed, graph, detach, json } = run;
  const { name, taskGroupId, tasks } = graph;
  const events = detach ? undefined : await listenToGroup(client, taskGroupId, ended);
  const spinner = startSpinner(io, `submitting ${counted(tasks.length, "task")}`);
  try {
    const complete =
      run.folder === undefined ? graph : await withSource(run, run.folder, spinner, stop.signal);
    stop.signal.addEventListener("abort", () => spinner.update("canceling as soon as it is submitted"), {
      once: true,
    });
    // Not aborted on Ctrl-C: the server would continue, and nothing would cancel the tasks that it creates.
    await submitGraph(client, parsed, complete, { dryRun: false, signal: ended });
  } finally {
    spinner.stop();
  }
  if (events === undefined) {
    if (json) writeJson(io.stdout, { taskGroupId });
    else writeLine(io.stdout, taskGroupId);
    return exitStatus.ok;
  }
  writeLine(io.stderr, `${name}: ${counted(tasks.length, "task")} in group ${taskGroupId}`);
  const progress = graphProgress(tasks);
  const group = { client, io, name, taskGroupId, progress, events, signal: ended, stop };
  return watchGroup({ ...group, cancels: true, json });
}

/** Sends the folder, and returns the graph with it. */
async function withSource(
  { client, io, graph }: GraphRun,
  folder: string,
  spinner: Spinner,
  signal: AbortSignal,
): Promise<Graph> {
  // Imported here: it loads the worker's payload schema.
  const { addSource, checkSourceIsUsed, sourceNeededUntil } = await import("./add-source.ts");
  checkSourceIsUsed(graph);
  const warn = (text: string): void => {
    spinner.stop();
    writeLine(io.stderr, `warning: ${text}`);
  };
  const until = sourceNeededUntil(graph);
  const source = await sendSource({ client, folder, name: graph.name, until, spinner, warn, signal });
  signal.throwIfAborted();
  return addSource(graph, source);
}
