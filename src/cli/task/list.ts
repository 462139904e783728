// `taskyard task list`.
import { TASK_STATES } from "../../api/queue/status.ts";
import { UsageError } from "../cli-error.ts";
import { colorsFor } from "../colors.ts";
import { command } from "../command.ts";
import { oneLine, timeBetween } from "../format.ts";
import { listOptions, listQuery, noneFound } from "../list-options.ts";
import { firstElements } from "../paginate.ts";
import { parseTaskQueueId } from "../parse-task-queue.ts";
import { SOURCE_QUEUE } from "../run/source-task.ts";
import { startSpinner } from "../spinner.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";
import { stateText } from "./status.ts";

export const taskListCommand = command({
  name: "task list",
  summary: "List tasks, newest first: by name, state, time, queue or project.",
  details: [
    `Lists tasks in the order of their creation. Omits those of ${SOURCE_QUEUE}, which \`--cwd-tarball\` creates and resolves, ` +
      "unless you ask for this queue.",
  ],
  args: [],
  options: {
    ...listOptions,
    state: {
      type: "value",
      value: "STATE",
      multiple: true,
      summary: `Only tasks in this state: ${TASK_STATES.join(", ")}. May be repeated.`,
    },
    "task-queue": { type: "value", value: "QUEUE", summary: "Only tasks of this queue." },
    project: { type: "value", value: "ID", summary: "Only tasks of this project." },
  },
  examples: [
    { command: "taskyard task list", description: "Show the 50 newest tasks." },
    {
      command: "taskyard task list --state failed --state exception --since 2h",
      description: "Show what went wrong with the tasks of the last two hours.",
    },
    {
      command: "taskyard task list --name deploy --all --json | jq -r '.tasks[].taskId'",
      description: "Print the ids of all tasks with this text in their names.",
    },
  ],
  async run({ options, io }) {
    const now = Date.now();
    const { query: common, limit } = listQuery(options, now);
    const { project: projectId, state: words, "task-queue": queueId } = options;
    const state = words.flatMap((word) => word.split(",")).map(parseState);
    if (projectId !== undefined && !/^[\w./-]{1,500}$/.test(projectId))
      throw new UsageError(
        `--project ${projectId}: must be 1 to 500 letters, digits, dots, slashes, hyphens and underscores`,
      );
    const filters = {
      ...common,
      ...(state.length > 0 && { state: [...new Set(state)].join(",") }),
      ...(queueId !== undefined && { taskQueueId: parseTaskQueueId(queueId, `--task-queue ${queueId}`) }),
      ...(projectId !== undefined && { projectId }),
    };
    const { queue } = await connectTarget(io);
    const spinner = startSpinner(io, "searching");
    const tasks = await firstElements(
      limit,
      (page) => queue.listTasks({ query: { ...filters, ...page } }),
      (page) => page.tasks.filter(({ taskQueueId }) => queueId !== undefined || taskQueueId !== SOURCE_QUEUE),
    ).finally(() => spinner.stop());
    const colors = colorsFor(io.stdout, io.env);
    const at = new Date(now).toISOString();
    return writeList(io, options.json, {
      name: "tasks",
      ...tasks,
      header: ["TASK", "STATE", "CREATED", "DURATION", "QUEUE", "NAME"],
      row: (task) => [
        task.taskId,
        stateText(task.state, colors),
        `${timeBetween(task.created, at)} ago`,
        timeBetween(task.started, task.resolved ?? at),
        task.taskQueueId,
        oneLine(task.name),
      ],
      none: noneFound("tasks", filters),
    });
  },
});

function parseState(word: string): string {
  if (TASK_STATES.some((state) => state === word)) return word;
  throw new UsageError(`--state ${word}: must be one of ${TASK_STATES.join(", ")}`);
}
