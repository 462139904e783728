// `taskyard group priority`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { parsePriority, priorityDetails } from "../parse-priority.ts";
import { connectTarget } from "../target.ts";

export const groupPriorityCommand = command({
  name: "group priority",
  summary: "Give the tasks of a group another priority.",
  details: priorityDetails,
  args: [{ name: "GROUP_ID" }, { name: "PRIORITY" }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard group priority ID low", says: "Other work goes before it." }],
  async run({ options, args, io }) {
    const taskGroupId = parseId(args[0], "group");
    const newPriority = parsePriority(args[1] ?? "");
    const { queue } = await connectTarget(io);
    const reply = await queue.changeTaskGroupPriority({ taskGroupId }, { newPriority });
    const count = reply.tasksAffected;
    if (options.json) writeJson(io.stdout, reply);
    else
      writeLine(
        io.stdout,
        `${count} ${count === 1 ? "task has" : "tasks have"} the priority ${newPriority} now`,
      );
    return exitStatus.ok;
  },
});
