// `taskyard group cancel`.
import { ClientError } from "../../client/client-error.ts";
import { counted } from "../../lib/counted.ts";
import { CliError, exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { connectTarget } from "../target.ts";

export const groupCancelCommand = command({
  name: "group cancel",
  summary: "Cancel all unresolved tasks of a group.",
  details: ["The group must be sealed, so that no tasks are added while others are canceled."],
  args: [{ name: "GROUP_ID" }],
  options: { seal: { type: "flag", summary: "Seal the group first." }, json: jsonOption },
  examples: [
    { command: "taskyard group cancel --seal ID", description: "Seal a group and cancel its tasks." },
  ],
  async run({ options, args, io }) {
    const taskGroupId = parseId(args[0], "group");
    const { queue } = await connectTarget(io);
    if (options.seal) await queue.sealTaskGroup({ taskGroupId });
    const reply = await queue.cancelTaskGroup({ taskGroupId }).catch(async (error: unknown) => {
      const isOpen = isConflict(error) && (await queue.getTaskGroup({ taskGroupId })).sealed === undefined;
      if (!isOpen) throw error;
      throw new CliError(
        `group ${taskGroupId} is not sealed, so tasks could be added while it is canceled: use --seal to seal it first`,
        { cause: error },
      );
    });
    const { cancelledCount, taskGroupSize } = reply;
    if (options.json) writeJson(io.stdout, reply);
    else writeLine(io.stdout, `canceled ${cancelledCount} of ${counted(taskGroupSize, "task")}`);
    return exitStatus.ok;
  },
});

const isConflict = (error: unknown): boolean =>
  error instanceof ClientError && error.code === "RequestConflict";
