// `taskyard task cancel`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeLine, writeJson } from "../io.ts";
import { connectTarget } from "../target.ts";
import { parseId } from "../parse-id.ts";

export const cancelCommand = command({
  name: "task cancel",
  summary: "Cancel a task that is not resolved yet.",
  args: [{ name: "TASK_ID" }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard task cancel ID", says: "A worker that runs it stops it at once." }],
  async run({ options, args, io }) {
    const taskId = parseId(args[0]);
    const { queue } = await connectTarget(io);
    const { status } = await queue.cancelTask({ taskId });
    // The queue answers a task that was resolved before in the same way; its state says what holds.
    const canceled = status.runs.at(-1)?.reasonResolved === "canceled";
    if (options.json) writeJson(io.stdout, status);
    else writeLine(io.stdout, canceled ? `${taskId} is canceled` : `${taskId} was ${status.state} already`);
    return exitStatus.ok;
  },
});
