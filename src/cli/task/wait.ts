// `taskyard task wait`.
import { exitStatus } from "../cli-error.ts";
import { colorsFor } from "../colors.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { isResolved, statusWhen, watchTask } from "../log/task-changes.ts";
import { parseId } from "../parse-id.ts";
import { untilStopped } from "../stop-request.ts";
import { connectTarget } from "../target.ts";
import { stateText } from "./status.ts";

export const waitCommand = command({
  name: "task wait",
  summary: "Wait until tasks are resolved.",
  details: [
    "Prints the state of each task when it is resolved, in the given order. The exit status is 0 if all tasks completed, and 1 if " +
      "any failed or ended in an exception.",
  ],
  args: [{ name: "TASK_ID", many: true }],
  options: { json: { ...jsonOption, summary: "Print the statuses as JSON." } },
  examples: [
    {
      command: "taskyard task wait ID1 ID2 && taskyard task download --all ID1",
      description: "Download the results when both tasks have completed.",
    },
  ],
  async run({ options, args, io }) {
    const taskIds = args.map((word) => parseId(word));
    const client = await connectTarget(io);
    const colors = colorsFor(io.stdout, io.env);
    return untilStopped(io, async ({ signal: stopped }) => {
      const statuses = [];
      // One after the other: this needs one stream of events at a time, and ends at the same time.
      for (const taskId of taskIds) {
        const ended = new AbortController();
        const signal = AbortSignal.any([stopped, ended.signal]);
        try {
          const changes = watchTask(client, taskId, signal);
          const status = await statusWhen({ client, taskId, changes, signal }, ({ state }) =>
            isResolved(state),
          );
          statuses.push(status);
          if (!options.json) writeLine(io.stdout, `${taskId}  ${stateText(status.state, colors)}`);
        } finally {
          ended.abort();
        }
      }
      if (options.json) writeJson(io.stdout, { statuses });
      return statuses.every(({ state }) => state === "completed") ? exitStatus.ok : exitStatus.failure;
    });
  },
});
