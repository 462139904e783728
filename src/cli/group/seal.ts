// `taskyard group seal`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { connectTarget } from "../target.ts";

export const groupSealCommand = command({
  name: "group seal",
  summary: "Seal a group, so that no more tasks can be added.",
  details: ["This cannot be undone."],
  args: [{ name: "GROUP_ID" }],
  options: { json: jsonOption },
  examples: [
    { command: "taskyard group seal ID", description: "Reject every task that is added to the group later." },
  ],
  async run({ options, args, io }) {
    const taskGroupId = parseId(args[0], "group");
    const { queue } = await connectTarget(io);
    const group = await queue.sealTaskGroup({ taskGroupId });
    if (options.json) writeJson(io.stdout, group);
    else writeLine(io.stdout, `${taskGroupId} has been sealed since ${group.sealed}`);
    return exitStatus.ok;
  },
});
