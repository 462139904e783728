// `taskyard task cancel`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { connectTarget } from "../target.ts";

export const cancelCommand = command({
  name: "task cancel",
  summary: "Cancel a task.",
  details: ["A task that is already resolved does not change."],
  args: [{ name: "TASK_ID" }],
  options: { json: jsonOption },
  examples: [
    {
      command: "taskyard task cancel ID",
      description: "Resolve a task as canceled. A worker that runs it stops immediately.",
    },
  ],
  async run({ options, args, io }) {
    const taskId = parseId(args[0]);
    const { queue } = await connectTarget(io);
    const { status } = await queue.cancelTask({ taskId });
    // The queue also accepts cancelTask for a resolved task. The status then shows the earlier resolution.
    const canceled = status.runs.at(-1)?.reasonResolved === "canceled";
    if (options.json) writeJson(io.stdout, status);
    else writeLine(io.stdout, canceled ? `${taskId} is canceled` : `${taskId} is already ${status.state}`);
    return exitStatus.ok;
  },
});
