// `taskyard group priority`.
import { counted } from "../../lib/counted.ts";
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { parsePriority, priorityDetails } from "../parse-priority.ts";
import { connectTarget } from "../target.ts";

export const groupPriorityCommand = command({
  name: "group priority",
  summary: "Change the priority of the tasks of a group.",
  details: priorityDetails,
  args: [{ name: "GROUP_ID" }, { name: "PRIORITY" }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard group priority ID low", description: "Let other tasks run first." }],
  async run({ options, args, io }) {
    const taskGroupId = parseId(args[0], "group");
    const newPriority = parsePriority(args[1] ?? "");
    const { queue } = await connectTarget(io);
    const reply = await queue.changeTaskGroupPriority({ taskGroupId }, { newPriority });
    if (options.json) writeJson(io.stdout, reply);
    else
      writeLine(
        io.stdout,
        `changed the priority of ${counted(reply.tasksAffected, "task")} to ${newPriority}`,
      );
    return exitStatus.ok;
  },
});
