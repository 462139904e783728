// `taskyard task priority` and `taskyard group priority`.
import { PRIORITIES, type Priority } from "../api/queue/task.ts";
import { didYouMean } from "../lib/did-you-mean.ts";
import { exitStatus, UsageError } from "./cli-error.ts";
import { command, jsonOption } from "./command.ts";
import { say, sayJson } from "./io.ts";
import { connectTarget } from "./target.ts";
import { readId } from "./task-id.ts";

/** A priority by its name; `where` is what the user is told when it is none. */
export function priorityOf(word: string, where: string = word): Priority {
  const priority = PRIORITIES.find((name) => name === word);
  if (priority !== undefined) return priority;
  const meant = didYouMean(word, PRIORITIES);
  const hint = meant === undefined ? `it is one of ${PRIORITIES.join(", ")}` : `did you mean ${meant}?`;
  throw new UsageError(`${where}: ${hint}`);
}

const details = [
  `Priorities are ${PRIORITIES.join(", ")}.`,
  "Only tasks that were never resolved can be given another one. It counts at once, also for tasks that wait for a worker.",
];

export const taskPriorityCommand = command({
  name: "task priority",
  summary: "Give a task another priority.",
  details,
  args: [{ name: "TASK_ID" }, { name: "PRIORITY" }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard task priority ID highest", says: "It is the next that a worker takes." }],
  async run({ options, args, io }) {
    const taskId = readId(args[0]);
    const newPriority = priorityOf(args[1] ?? "");
    const { queue } = await connectTarget(io);
    const { status } = await queue.changeTaskPriority({ taskId }, { newPriority });
    if (options.json) sayJson(io.stdout, status);
    else say(io.stdout, `${taskId} is ${status.state}, with the priority ${newPriority}`);
    return exitStatus.ok;
  },
});

export const groupPriorityCommand = command({
  name: "group priority",
  summary: "Give the tasks of a group another priority.",
  details,
  args: [{ name: "GROUP_ID" }, { name: "PRIORITY" }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard group priority ID low", says: "Other work goes before it." }],
  async run({ options, args, io }) {
    const taskGroupId = readId(args[0], "group");
    const newPriority = priorityOf(args[1] ?? "");
    const { queue } = await connectTarget(io);
    const reply = await queue.changeTaskGroupPriority({ taskGroupId }, { newPriority });
    const count = reply.tasksAffected;
    if (options.json) sayJson(io.stdout, reply);
    else
      say(io.stdout, `${count} ${count === 1 ? "task has" : "tasks have"} the priority ${newPriority} now`);
    return exitStatus.ok;
  },
});
