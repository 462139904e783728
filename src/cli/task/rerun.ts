// `taskyard task rerun`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { connectTarget } from "../target.ts";

export const rerunCommand = command({
  name: "task rerun",
  summary: "Run a task again.",
  args: [{ name: "TASK_ID" }],
  options: { json: jsonOption },
  examples: [
    {
      command: "taskyard task rerun ID && taskyard task log -f ID",
      description: "Run a task again and follow its log.",
    },
  ],
  async run({ options, args, io }) {
    const taskId = parseId(args[0]);
    const { queue } = await connectTarget(io);
    const { status } = await queue.rerunTask({ taskId });
    if (options.json) writeJson(io.stdout, status);
    else writeLine(io.stdout, `${taskId} is ${status.state}, run ${status.runs.length - 1}`);
    return exitStatus.ok;
  },
});
