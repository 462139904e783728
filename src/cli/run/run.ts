// `taskyard run`: runs a command as a task, streams its log and exits with its status.
import { exitStatus, UsageError } from "../cli-error.ts";
import { command } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { parseTaskQueueOption } from "../parse-task-queue.ts";
import { startSpinner } from "../spinner.ts";
import type { Stack } from "../stack.ts";
import { connectTarget } from "../target.ts";
import { untilStopped } from "../stop-request.ts";
import { startEphemeralStack } from "./ephemeral.ts";
import { parsePaths, parsePriorityOption, parseSeconds, parseVariables } from "./parse-options.ts";
import { submit } from "./submit.ts";
import { watchRun } from "./watch-run.ts";

export const runCommand = command({
  name: "run",
  summary: "Run a command as a task, print its log and exit with its status.",
  details: [
    "Ctrl-C cancels the task; a second Ctrl-C exits immediately. The log goes to standard output, with the worker's own lines " +
      "dim on a terminal; notices go to standard error.",
    "Exits with the status of the command, or 128 plus the signal number if a signal ended it. If the task ends in another " +
      "way (canceled, no worker, payload rejected), prints the reason and exits with 1; after Ctrl-C, with 130. Workers " +
      "other than `taskyard worker` do not report the status of the command: a failure is then always 1.",
  ],
  args: [{ name: "COMMAND", rest: true }],
  options: {
    env: {
      type: "value",
      short: "e",
      value: "NAME[=VALUE]",
      multiple: true,
      summary: "Set an environment variable; without VALUE, to its value in this environment.",
    },
    artifact: {
      type: "value",
      short: "a",
      value: "PATH",
      multiple: true,
      summary: "Upload this file as an artifact, or this folder if PATH ends with /.",
    },
    "cwd-tarball": {
      type: "flag",
      summary: "Run in a copy of the current folder, without the files that git ignores.",
    },
    local: { type: "flag", summary: "Start a temporary server and worker for this task." },
    "task-queue": { type: "value", value: "QUEUE", summary: "Task queue. Default: local/default." },
    "max-run-time": {
      type: "value",
      value: "TIME",
      summary: "Time limit in seconds, or with a unit: 10m, 2h. Default: 1h.",
    },
    priority: { type: "value", value: "PRIORITY", summary: "From highest to lowest. Default: lowest." },
    name: { type: "value", value: "NAME", summary: "Name of the task. Default: the command." },
    quiet: { type: "flag", short: "q", summary: "Print only the output of the command." },
    detach: { type: "flag", short: "d", summary: "Print the id of the task and do not wait for it." },
    json: { type: "flag", summary: "Print the result as JSON; the log goes to standard error." },
  },
  examples: [
    {
      command: "taskyard run -- sh -c 'echo hello; exit 3'",
      description: "Print the log of the task and exit with 3.",
    },
    {
      command: "taskyard run --cwd-tarball --artifact dist/ -- make dist",
      description: "Build the current folder on a worker and upload the result.",
    },
    { command: "taskyard run --local -- npm test", description: "Run a task without a server." },
  ],
  async run({ options, args, io }) {
    if (options.local && options.detach)
      throw new UsageError(
        "--local and --detach exclude each other, since a local server stops with its task: omit one of them",
      );
    const taskQueueId = parseTaskQueueOption(options["task-queue"]);
    const request = {
      argv: args,
      env: parseVariables(options.env, io.env),
      artifacts: parsePaths(options.artifact),
      taskQueueId,
      maxRunTime: parseSeconds(options["max-run-time"] ?? "1h"),
      priority: parsePriorityOption(options.priority),
      name: options.name,
    };
    const notice = (text: string): void => void (options.quiet || writeLine(io.stderr, text));

    return untilStopped(io, async ({ stop }) => {
      const spinner = startSpinner(io, options.local ? "starting a server" : "submitting");
      let ephemeral: Stack | undefined;
      try {
        if (options.local) ephemeral = await startEphemeralStack(io, taskQueueId);
        const client = ephemeral?.client ?? (await connectTarget(io));
        const folder = options["cwd-tarball"] ? io.cwd : undefined;
        // Not a notice: with --quiet, a task would lack a file without a word.
        const warn = (text: string): void => {
          spinner.stop();
          writeLine(io.stderr, `warning: ${text}`);
        };
        const taskId = await submit({ client, request, folder, spinner, warn, signal: stop.signal });
        spinner.stop();
        if (options.detach) {
          if (options.json) writeJson(io.stdout, { taskId });
          else writeLine(io.stdout, taskId);
          notice(`follow its log: taskyard task log -f ${taskId}`);
          return exitStatus.ok;
        }
        notice(`task ${taskId} on ${taskQueueId}`);
        const { outcome, status, artifacts } = await watchRun({
          client,
          taskId,
          wanted: request.artifacts,
          io,
          quiet: options.quiet,
          log: options.json ? io.stderr : io.stdout,
          notice,
          stop,
        });
        if (options.json) {
          const { state, runs } = status;
          const reason = runs.at(-1)?.reasonResolved;
          writeJson(io.stdout, { taskId, state, reason, ...outcome, artifacts });
        }
        return outcome.exitStatus;
      } finally {
        spinner.stop();
        await ephemeral?.stop("the task has ended");
      }
    });
  },
});
