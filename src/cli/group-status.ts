// `taskyard group status`.
import type { TaskStatus } from "../api/queue/status.ts";
import type { TaskDefinition } from "../api/queue/task.ts";
import { exitStatus } from "./cli-error.ts";
import { columns, oneLine, sayLines, timeBetween } from "./columns.ts";
import { command, jsonOption } from "./command.ts";
import { sayJson } from "./io.ts";
import { pages } from "./pages.ts";
import { connectTarget } from "./target.ts";
import { readId } from "./task-id.ts";

interface Member {
  readonly status: TaskStatus;
  readonly task: TaskDefinition;
}

export const groupStatusCommand = command({
  name: "group status",
  summary: "Show what became of the tasks of a group.",
  details: ["The id of a group is usually the id of its first task."],
  args: [{ name: "GROUP_ID" }],
  options: { json: { ...jsonOption, summary: "Print counts and statuses as JSON." } },
  examples: [
    { command: "taskyard group status ID", says: "A count of each state, and a line for each task." },
  ],
  async run({ options, args, io }) {
    const taskGroupId = readId(args[0], "group");
    const { queue } = await connectTarget(io);
    const members: Member[] = [];
    for await (const page of pages((query) => queue.listTaskGroup({ taskGroupId }, { query })))
      members.push(...page.tasks);
    const counts = countStates(members);
    if (options.json) {
      sayJson(io.stdout, { taskGroupId, counts, tasks: members.map(({ status }) => status) });
      return exitStatus.ok;
    }
    const now = new Date().toISOString();
    const summary = Object.entries(counts).map(([state, count]) => `${count} ${state}`);
    const rows = members.map(({ status, task }) => {
      const run = status.runs.at(-1);
      const took = timeBetween(run?.started, run?.resolved ?? now);
      return [status.taskId, status.state, run?.reasonResolved ?? "-", took, oneLine(task.metadata.name)];
    });
    sayLines(io.stdout, [
      `${members.length} ${members.length === 1 ? "task" : "tasks"}: ${summary.join(", ")}`,
      "",
      ...columns(["TASK", "STATE", "REASON", "TOOK", "NAME"], rows),
    ]);
    return exitStatus.ok;
  },
});

function countStates(members: readonly Member[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status } of members) counts[status.state] = (counts[status.state] ?? 0) + 1;
  return counts;
}
