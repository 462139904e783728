// `taskyard run`: a command line as a task, its log here, its exit status ours.
import { exitStatus, UsageError } from "../cli-error.ts";
import { command } from "../command.ts";
import { writeLine, writeJson } from "../io.ts";
import { startSpinner } from "../spinner.ts";
import type { Stack } from "../stack.ts";
import { connectTarget, findTarget, type Target } from "../target.ts";
import { startEphemeralStack } from "./ephemeral.ts";
import {
  parsePaths,
  parsePriorityOption,
  parseSeconds,
  parseTaskQueueId,
  readVariables,
} from "./parse-options.ts";
import { submit } from "./submit.ts";
import { watchRun } from "./watch-run.ts";

export const runCommand = command({
  name: "run",
  summary: "Run a command as a task, with its log here and its exit status as ours.",
  details: [
    "Ctrl-C cancels the task; a second one leaves at once. The log goes to standard output, the lines of the worker dim on " +
      "a terminal; remarks go to standard error.",
    "Exits with the status of the command; 128 plus the signal's number if a signal ended it. If the task ends in another " +
      "way (canceled, no worker, payload rejected), prints the reason and exits with 1; after Ctrl-C, with 130. Workers " +
      "other than `taskyard worker` do not report the status of the command: a failure is then always 1.",
  ],
  args: [{ name: "COMMAND", rest: true }],
  options: {
    env: {
      type: "value",
      short: "e",
      value: "K=V",
      multiple: true,
      summary: "A variable for the command; K alone takes the value that it has here.",
    },
    artifact: {
      type: "value",
      short: "a",
      value: "PATH",
      multiple: true,
      summary: "Keep this file as an artifact, or this folder, where / is its end.",
    },
    "cwd-tarball": { type: "flag", summary: "Run in a copy of this folder, without what git ignores." },
    local: {
      type: "flag",
      summary: "Start a server and a worker for this one task, and leave nothing behind.",
    },
    "task-queue": {
      type: "value",
      value: "QUEUE",
      summary: "The queue whose workers may run it. Default: local/default.",
    },
    "max-run-time": {
      type: "value",
      value: "S",
      summary: "Seconds that it may take, or 10m, 2h. Default: 1h.",
    },
    priority: { type: "value", value: "P", summary: "From highest to lowest. Default: lowest." },
    name: { type: "value", value: "NAME", summary: "What lists show. Default: the command." },
    quiet: { type: "flag", short: "q", summary: "Only what the command writes." },
    detach: { type: "flag", short: "d", summary: "Print the id of the task and do not wait for it." },
    json: { type: "flag", summary: "Print the outcome as JSON; the log goes to standard error." },
  },
  examples: [
    { command: "taskyard run -- sh -c 'echo hello; exit 3'", says: "Prints the log, and exits with 3." },
    {
      command: "taskyard run --cwd-tarball --artifact dist/ -- make dist",
      says: "Build this folder elsewhere, and keep the result.",
    },
    { command: "taskyard run --local -- npm test", says: "Without a server." },
  ],
  async run({ options, args, io }) {
    if (options.local && options.detach)
      throw new UsageError("--local ends with the task, so --detach makes no sense");
    const taskQueueId = parseTaskQueueId(options["task-queue"] ?? "local/default");
    const request = {
      argv: args,
      env: readVariables(options.env, io.env),
      artifacts: parsePaths(options.artifact),
      taskQueueId,
      maxRunTime: parseSeconds(options["max-run-time"] ?? "1h"),
      priority: parsePriorityOption(options.priority),
      name: options.name,
    };
    const remark = (text: string): void => void (options.quiet || writeLine(io.stderr, text));

    const interrupted = new AbortController();
    const restore = io.onStop(() => {
      if (interrupted.signal.aborted) io.exit(exitStatus.interrupted);
      interrupted.abort();
    });
    const { signal } = interrupted;
    const progress = startSpinner(io, options.local ? "starting a server" : "submitting");
    let ephemeral: Stack | undefined;
    try {
      if (options.local) ephemeral = await startEphemeralStack(io, taskQueueId);
      const target: Target = ephemeral
        ? { rootUrl: ephemeral.client.rootUrl, credentials: ephemeral.credentials }
        : await findTarget(io);
      const client = ephemeral?.client ?? (await connectTarget(io));
      const folder = options["cwd-tarball"] ? io.cwd : undefined;
      const submitted = await submit({ client, target, request, folder, progress, signal });
      progress.stop();
      const { taskId } = submitted;
      if (options.detach) {
        if (options.json) writeJson(io.stdout, { taskId });
        else writeLine(io.stdout, taskId);
        remark(`See: taskyard task log -f ${taskId}`);
        return exitStatus.ok;
      }
      remark(`task ${taskId} on ${taskQueueId}`);
      const { outcome, status, artifacts } = await watchRun({
        client,
        ...submitted,
        taskQueueId,
        wanted: request.artifacts,
        io,
        quiet: options.quiet,
        log: options.json ? io.stderr : io.stdout,
        remark,
        interrupted: signal,
      });
      if (options.json) {
        const { state, runs } = status;
        const reason = runs.at(-1)?.reasonResolved;
        writeJson(io.stdout, { taskId, state, reason, ...outcome, artifacts });
      }
      return outcome.exitStatus;
    } catch (error) {
      if (signal.aborted) return exitStatus.interrupted;
      throw error;
    } finally {
      progress.stop();
      await ephemeral?.stop("the task is over");
      restore();
    }
  },
});
