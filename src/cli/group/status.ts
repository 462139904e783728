// `taskyard group status`.
import type { TaskStatus } from "../../api/queue/status.ts";
import type { TaskDefinition } from "../../api/queue/task.ts";
import { exitStatus } from "../cli-error.ts";
import { oneLine, timeBetween } from "../format.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLines } from "../io.ts";
import { paginate } from "../paginate.ts";
import { connectTarget } from "../target.ts";
import { parseId } from "../parse-id.ts";
import { formatTable } from "../table.ts";

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
    const taskGroupId = parseId(args[0], "group");
    const { queue } = await connectTarget(io);
    const members: Member[] = [];
    for await (const page of paginate((query) => queue.listTaskGroup({ taskGroupId }, { query })))
      members.push(...page.tasks);
    const counts = countStates(members);
    if (options.json) {
      writeJson(io.stdout, { taskGroupId, counts, tasks: members.map(({ status }) => status) });
      return exitStatus.ok;
    }
    const now = new Date().toISOString();
    const summary = Object.entries(counts).map(([state, count]) => `${count} ${state}`);
    const rows = members.map(({ status, task }) => {
      const run = status.runs.at(-1);
      const took = timeBetween(run?.started, run?.resolved ?? now);
      return [status.taskId, status.state, run?.reasonResolved ?? "-", took, oneLine(task.metadata.name)];
    });
    writeLines(io.stdout, [
      `${members.length} ${members.length === 1 ? "task" : "tasks"}: ${summary.join(", ")}`,
      "",
      ...formatTable(["TASK", "STATE", "REASON", "TOOK", "NAME"], rows),
    ]);
    return exitStatus.ok;
  },
});

function countStates(members: readonly Member[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status } of members) counts[status.state] = (counts[status.state] ?? 0) + 1;
  return counts;
}
