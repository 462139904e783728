// `taskyard task cancel` and `taskyard task rerun`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { say, sayJson } from "../io.ts";
import { connectTarget } from "../target.ts";
import { readId } from "../task-id.ts";

export const cancelCommand = command({
  name: "task cancel",
  summary: "Cancel a task that is not resolved yet.",
  args: [{ name: "TASK_ID" }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard task cancel ID", says: "A worker that runs it stops it at once." }],
  async run({ options, args, io }) {
    const taskId = readId(args[0]);
    const { queue } = await connectTarget(io);
    const { status } = await queue.cancelTask({ taskId });
    // The queue answers a task that was resolved before in the same way; its state says what holds.
    const canceled = status.runs.at(-1)?.reasonResolved === "canceled";
    if (options.json) sayJson(io.stdout, status);
    else say(io.stdout, canceled ? `${taskId} is canceled` : `${taskId} was ${status.state} already`);
    return exitStatus.ok;
  },
});

export const rerunCommand = command({
  name: "task rerun",
  summary: "Run a task once more.",
  args: [{ name: "TASK_ID" }],
  options: { json: jsonOption },
  examples: [
    { command: "taskyard task rerun ID && taskyard task log -f ID", says: "And watch it this time." },
  ],
  async run({ options, args, io }) {
    const taskId = readId(args[0]);
    const { queue } = await connectTarget(io);
    const { status } = await queue.rerunTask({ taskId });
    if (options.json) sayJson(io.stdout, status);
    else say(io.stdout, `${taskId} is ${status.state}, run ${status.runs.length - 1}`);
    return exitStatus.ok;
  },
});
