// `taskyard task status`.
import type { Run, TaskStatus } from "../../api/queue/status.ts";
import type { TaskDefinition } from "../../api/queue/task.ts";
import { exitStatus } from "../cli-error.ts";
import { colorsFor, type Colors } from "../colors.ts";
import { command, jsonOption } from "../command.ts";
import { localTime, oneLine, timeBetween } from "../format.ts";
import { writeJson, writeLines } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { formatTable } from "../table.ts";
import { connectTarget } from "../target.ts";

export const statusCommand = command({
  name: "task status",
  summary: "Show the state and the runs of a task.",
  args: [{ name: "TASK_ID" }],
  options: { json: { ...jsonOption, summary: "Print the status as JSON, as the API returns it." } },
  examples: [
    {
      command: "taskyard task status fN1SbArXTPSVFNUvaOlinQ",
      description: "Show the task's state, properties and runs.",
    },
    { command: "taskyard task status --json ID | jq -r .state", description: "Print only the state." },
  ],
  async run({ options, args, io }) {
    const taskId = parseId(args[0]);
    const { queue } = await connectTarget(io);
    if (options.json) {
      writeJson(io.stdout, (await queue.status({ taskId })).status);
      return exitStatus.ok;
    }
    const [{ status }, task] = await Promise.all([queue.status({ taskId }), queue.task({ taskId })]);
    writeLines(io.stdout, describe(status, task, new Date().toISOString(), colorsFor(io.stdout, io.env)));
    return exitStatus.ok;
  },
});

function describe(status: TaskStatus, task: TaskDefinition, now: string, colors: Colors): string[] {
  const facts: [string, string][] = [
    ["state", stateText(status.state, colors)],
    ["queue", status.taskQueueId],
    ["group", status.taskGroupId],
    ["priority", status.priority ?? task.priority],
    ["created", localTime(task.created)],
    ["deadline", localTime(status.deadline)],
    ["retries left", String(status.retriesLeft)],
    ["dependencies", task.dependencies.join(" ") || "none"],
  ];
  const rows = status.runs.map((run) => [
    String(run.runId),
    run.state,
    run.reasonResolved ?? (run.state === "pending" ? run.reasonCreated : "-"),
    run.workerId === undefined ? "-" : `${run.workerGroup ?? ""}/${run.workerId}`,
    localTime(run.started),
    duration(run, now),
  ]);
  return [
    `${colors.bold(status.taskId)}  ${oneLine(task.metadata.name)}`,
    ...facts.map(([name, value]) => `  ${name.padEnd(12)}  ${value}`),
    ...(rows.length === 0
      ? []
      : ["", ...formatTable(["RUN", "STATE", "REASON", "WORKER", "STARTED", "DURATION"], rows)]),
  ];
}

const duration = (run: Run, now: string): string => timeBetween(run.started, run.resolved ?? now);

/** Returns a state in its color. */
export function stateText(state: TaskStatus["state"], colors: Colors): string {
  if (state === "completed") return colors.green(state);
  if (state === "failed" || state === "exception") return colors.red(state);
  return state === "running" ? colors.yellow(state) : state;
}
