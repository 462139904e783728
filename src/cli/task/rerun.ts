// `taskyard task rerun`.
import { changeCommand } from "../change-command.ts";
import { parseId } from "../parse-id.ts";

export const rerunCommand = changeCommand({
  name: "task rerun",
  summary: "Run a task again.",
  args: [{ name: "TASK_ID" }],
  examples: [
    {
      command: "taskyard task rerun ID && taskyard task log -f ID",
      description: "Run a task again and follow its log.",
    },
  ],
  parse: (word) => parseId(word),
  change: async ({ queue }, taskId) => (await queue.rerunTask({ taskId })).status,
  done: (taskId, { state, runs }) => `${taskId} is ${state}, run ${runs.length - 1}`,
});
