// `taskyard task cancel`.
import { changeCommand } from "../change-command.ts";
import { parseId } from "../parse-id.ts";

export const cancelCommand = changeCommand({
  name: "task cancel",
  summary: "Cancel a task.",
  details: ["A task that is already resolved does not change."],
  args: [{ name: "TASK_ID" }],
  examples: [
    {
      command: "taskyard task cancel ID",
      description: "Resolve a task as canceled. A worker that runs it stops immediately.",
    },
  ],
  parse: (word) => parseId(word),
  change: async ({ queue }, taskId) => (await queue.cancelTask({ taskId })).status,
  // The queue also accepts cancelTask for a resolved task. The status then shows the earlier resolution.
  done: (taskId, { runs, state }) =>
    runs.at(-1)?.reasonResolved === "canceled" ? `${taskId} is canceled` : `${taskId} is already ${state}`,
});
