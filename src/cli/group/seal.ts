// `taskyard group seal`.
import { changeCommand } from "../change-command.ts";
import { parseId } from "../parse-id.ts";

export const groupSealCommand = changeCommand({
  name: "group seal",
  summary: "Seal a group, so that no more tasks can be added.",
  details: ["This cannot be undone."],
  args: [{ name: "GROUP_ID" }],
  examples: [
    { command: "taskyard group seal ID", description: "Reject every task that is added to the group later." },
  ],
  parse: (word) => parseId(word, "group"),
  change: ({ queue }, taskGroupId) => queue.sealTaskGroup({ taskGroupId }),
  done: (taskGroupId, { sealed }) => `${taskGroupId} has been sealed since ${sealed}`,
});
