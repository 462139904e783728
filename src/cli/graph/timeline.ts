// `taskyard graph timeline`.
import { CliError, exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLines } from "../io.ts";
import { colorsFor } from "../colors.ts";
import { connectTarget } from "../target.ts";
import { parseId } from "../parse-id.ts";
import { drawCriticalPath } from "./draw-critical-path.ts";

export const graphTimelineCommand = command({
  name: "graph timeline",
  summary: "Show where the time of a task group went.",
  details: [
    "Draws the critical path: the tasks that made the group take as long as it did, each of which began when the one " +
      "before was done. With --json, the first page of the timeline as the API has it, with the times of each task.",
  ],
  args: [{ name: "GROUP_ID" }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard graph timeline ID", says: "What to make faster, or to start earlier." }],
  async run({ options, args, io }) {
    const taskGroupId = parseId(args[0], "group");
    const { queue } = await connectTarget(io);
    const query = options.json ? {} : { limit: 1 };
    const timeline = await queue.taskGroupTimeline({ taskGroupId }, { query, timeoutMs: 60_000 });
    if (options.json) writeJson(io.stdout, timeline);
    else {
      const { summary, asOf } = timeline;
      if (!summary) throw new CliError("the group has too many tasks, or dependencies, for a critical path");
      writeLines(
        io.stdout,
        drawCriticalPath(summary, asOf, colorsFor(io.stdout, io.env), io.stdout.columns ?? 100),
      );
    }
    return exitStatus.ok;
  },
});
