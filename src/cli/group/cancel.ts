// `taskyard group cancel`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeLine, writeJson } from "../io.ts";
import { connectTarget } from "../target.ts";
import { parseId } from "../parse-id.ts";

export const groupCancelCommand = command({
  name: "group cancel",
  summary: "Cancel every task of a group that is not resolved yet.",
  details: ["The group must be sealed, so that no task comes in while others are canceled."],
  args: [{ name: "GROUP_ID" }],
  options: { seal: { type: "flag", summary: "Seal the group first." }, json: jsonOption },
  examples: [{ command: "taskyard group cancel --seal ID", says: "Nothing of it runs any more, or will." }],
  async run({ options, args, io }) {
    const taskGroupId = parseId(args[0], "group");
    const { queue } = await connectTarget(io);
    if (options.seal) await queue.sealTaskGroup({ taskGroupId });
    const reply = await queue.cancelTaskGroup({ taskGroupId });
    const { cancelledCount, taskGroupSize } = reply;
    if (options.json) writeJson(io.stdout, reply);
    else
      writeLine(
        io.stdout,
        `canceled ${cancelledCount} of ${taskGroupSize} ${taskGroupSize === 1 ? "task" : "tasks"}`,
      );
    return exitStatus.ok;
  },
});
