// `taskyard group status`.
import type { TaskStatus } from "../../api/queue/status.ts";
import type { TaskDefinition } from "../../api/queue/task.ts";
import { counted } from "../../lib/counted.ts";
import { exitStatus } from "../cli-error.ts";
import { colorsFor } from "../colors.ts";
import { command, jsonOption } from "../command.ts";
import { oneLine, timeBetween } from "../format.ts";
import { writeJson, writeLines } from "../io.ts";
import { paginate } from "../paginate.ts";
import { parseId } from "../parse-id.ts";
import { writeTable } from "../table.ts";
import { connectTarget } from "../target.ts";
import { stateText } from "../task/status.ts";

interface Member {
  readonly status: TaskStatus;
  readonly task: TaskDefinition;
}

export const groupStatusCommand = command({
  name: "group status",
  summary: "Show the tasks of a group and their states.",
  details: ["The id of a group is usually the id of its first task."],
  args: [{ name: "GROUP_ID" }],
  options: {
    json: { ...jsonOption, summary: "Print the counts, and the status and name of each task, as JSON." },
  },
  examples: [
    {
      command: "taskyard group status ID",
      description: "Show the number of tasks in each state, and a line for each task.",
    },
  ],
  async run({ options, args, io }) {
    const taskGroupId = parseId(args[0], "group");
    const { queue } = await connectTarget(io);
    const members: Member[] = [];
    for await (const page of paginate((query) => queue.listTaskGroup({ taskGroupId }, { query })))
      members.push(...page.tasks);
    const counts = countStates(members);
    if (options.json) {
      writeJson(io.stdout, {
        taskGroupId,
        counts,
        tasks: members.map(({ status, task }) => ({ ...status, name: task.metadata.name })),
      });
      return exitStatus.ok;
    }
    const now = new Date().toISOString();
    const summary = Object.entries(counts).map(([state, count]) => `${count} ${state}`);
    const colors = colorsFor(io.stdout, io.env);
    const rows = members.toSorted(byStart).map(({ status, task }) => {
      const run = status.runs.at(-1);
      const duration = timeBetween(run?.started, run?.resolved ?? now);
      const state = stateText(status.state, colors);
      return [status.taskId, state, run?.reasonResolved ?? "-", duration, oneLine(task.metadata.name)];
    });
    writeLines(io.stdout, [`${counted(members.length, "task")}: ${summary.join(", ")}`, ""]);
    writeTable(io.stdout, ["TASK", "STATE", "REASON", "DURATION", "NAME"], rows);
    return exitStatus.ok;
  },
});

/** Orders tasks by the start of their first run. Those that have not started come last, by name. */
function byStart(a: Member, b: Member): number {
  const [one, other] = [a, b].map(({ status }) => status.runs[0]?.started ?? "9999");
  if (one !== other) return (one ?? "") < (other ?? "") ? -1 : 1;
  return a.task.metadata.name.localeCompare(b.task.metadata.name, "en", { numeric: true });
}

function countStates(members: readonly Member[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status } of members) counts[status.state] = (counts[status.state] ?? 0) + 1;
  return counts;
}
