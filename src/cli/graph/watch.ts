// `taskyard group watch` and `taskyard graph watch`.
import type { TaskDefinition } from "../../api/queue/task.ts";
import { counted } from "../../lib/counted.ts";
import { command } from "../command.ts";
import { oneLine } from "../format.ts";
import { writeLine } from "../io.ts";
import { paginate } from "../paginate.ts";
import { parseId } from "../parse-id.ts";
import { untilStopped } from "../stop-request.ts";
import { connectTarget } from "../target.ts";
import { listenToGroup } from "./follow-graph.ts";
import { graphProgress } from "./graph-progress.ts";
import type { GraphTask } from "./graph-tasks.ts";
import { watchGroup } from "./watch-group.ts";

const watchCommand = (name: string) =>
  command({
    name,
    summary: "Show the progress of a task group until it is finished.",
    details: [
      "Shows what `taskyard graph run` shows, for a group that exists already. Exits with 0 if all tasks completed, else with 1. " +
        "Ctrl-C ends the watching and cancels nothing.",
    ],
    args: [{ name: "GROUP_ID" }],
    options: { json: { type: "flag", summary: "Print the result as JSON." } },
    examples: [
      {
        command: `taskyard ${name} "$(taskyard graph run -d build.yml)"`,
        description: "Submit a graph, and show its progress.",
      },
    ],
    async run({ options, args, io }) {
      const taskGroupId = parseId(args[0], "group");
      const client = await connectTarget(io);
      return untilStopped(io, async ({ stop, signal }) => {
        const events = await listenToGroup(client, taskGroupId, signal, { added: true });
        const progress = graphProgress([]);
        for await (const page of paginate((query) =>
          client.queue.listTaskGroup({ taskGroupId }, { query, signal }),
        ))
          for (const { task, status } of page.tasks) {
            progress.add(memberOf(status.taskId, task));
            progress.update(status);
          }
        writeLine(io.stderr, `${counted(progress.total, "task")} in group ${taskGroupId}`);
        const lookUp = async (taskId: string): Promise<GraphTask> =>
          memberOf(taskId, await client.queue.task({ taskId }, { signal }));
        const group = { client, io, name: taskGroupId, taskGroupId, progress, events, signal, stop, lookUp };
        return watchGroup({ ...group, cancels: false, json: options.json });
      });
    },
  });

export const groupWatchCommand = watchCommand("group watch");
export const graphWatchCommand = watchCommand("graph watch");

const memberOf = (taskId: string, task: TaskDefinition): GraphTask => ({
  taskId,
  name: oneLine(task.metadata.name),
  needs: task.dependencies,
  anyResolution: task.requires === "all-resolved",
  taskQueueId: task.taskQueueId,
});
