// `taskyard task priority`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { parsePriority, priorityDetails } from "../parse-priority.ts";
import { connectTarget } from "../target.ts";

export const taskPriorityCommand = command({
  name: "task priority",
  summary: "Change the priority of a task.",
  details: priorityDetails,
  args: [{ name: "TASK_ID" }, { name: "PRIORITY" }],
  options: { json: jsonOption },
  examples: [
    {
      command: "taskyard task priority ID highest",
      description: "Run the task before all others of its queue.",
    },
  ],
  async run({ options, args, io }) {
    const taskId = parseId(args[0]);
    const newPriority = parsePriority(args[1] ?? "");
    const { queue } = await connectTarget(io);
    const { status } = await queue.changeTaskPriority({ taskId }, { newPriority });
    if (options.json) writeJson(io.stdout, status);
    else writeLine(io.stdout, `${taskId} is ${status.state}, with priority ${newPriority}`);
    return exitStatus.ok;
  },
});
