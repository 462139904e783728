// `taskyard group seal`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeLine, writeJson } from "../io.ts";
import { connectTarget } from "../target.ts";
import { parseId } from "../parse-id.ts";

export const groupSealCommand = command({
  name: "group seal",
  summary: "Let no more tasks into a group.",
  details: ["It cannot be undone."],
  args: [{ name: "GROUP_ID" }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard group seal ID", says: "Whoever adds a task from now on is refused." }],
  async run({ options, args, io }) {
    const taskGroupId = parseId(args[0], "group");
    const { queue } = await connectTarget(io);
    const group = await queue.sealTaskGroup({ taskGroupId });
    if (options.json) writeJson(io.stdout, group);
    else writeLine(io.stdout, `${taskGroupId} is sealed since ${group.sealed}`);
    return exitStatus.ok;
  },
});
