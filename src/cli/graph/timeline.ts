// `taskyard graph timeline`.
import { CliError, exitStatus } from "../cli-error.ts";
import { colorsFor } from "../colors.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLines } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { connectTarget } from "../target.ts";
import { drawCriticalPath } from "./draw-critical-path.ts";

export const graphTimelineCommand = command({
  name: "graph timeline",
  summary: "Show the critical path of a task group.",
  details: [
    "The critical path is the chain of tasks that determined how long the group took: each task waited for the one before " +
      "it. With --json, prints the first page of the timeline as the API returns it, with the times of each task.",
  ],
  args: [{ name: "GROUP_ID" }],
  options: { json: jsonOption },
  examples: [
    {
      command: "taskyard graph timeline ID",
      description: "Find the tasks to speed up or to start earlier.",
    },
  ],
  async run({ options, args, io }) {
    const taskGroupId = parseId(args[0], "group");
    const { queue } = await connectTarget(io);
    const query = options.json ? {} : { limit: 1 };
    const timeline = await queue.taskGroupTimeline({ taskGroupId }, { query, timeoutMs: 60_000 });
    if (options.json) writeJson(io.stdout, timeline);
    else {
      const { summary, asOf } = timeline;
      if (!summary)
        throw new CliError(
          "the group has too many tasks or dependencies for a critical path: use --json for the times of its tasks",
        );
      const colors = colorsFor(io.stdout, io.env);
      writeLines(io.stdout, drawCriticalPath(summary, asOf, colors, io.stdout.columns ?? 100));
    }
    return exitStatus.ok;
  },
});
