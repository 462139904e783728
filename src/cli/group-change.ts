// `taskyard group seal` and `taskyard group cancel`.
import { exitStatus } from "./cli-error.ts";
import { command, jsonOption } from "./command.ts";
import { say, sayJson } from "./io.ts";
import { connectTarget } from "./target.ts";
import { readId } from "./task-id.ts";

export const groupSealCommand = command({
  name: "group seal",
  summary: "Let no more tasks into a group.",
  details: ["It cannot be undone."],
  args: [{ name: "GROUP_ID" }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard group seal ID", says: "Whoever adds a task from now on is refused." }],
  async run({ options, args, io }) {
    const taskGroupId = readId(args[0], "group");
    const { queue } = await connectTarget(io);
    const group = await queue.sealTaskGroup({ taskGroupId });
    if (options.json) sayJson(io.stdout, group);
    else say(io.stdout, `${taskGroupId} is sealed since ${group.sealed}`);
    return exitStatus.ok;
  },
});

export const groupCancelCommand = command({
  name: "group cancel",
  summary: "Cancel every task of a group that is not resolved yet.",
  details: ["The group must be sealed, so that no task comes in while others are canceled."],
  args: [{ name: "GROUP_ID" }],
  options: { seal: { type: "flag", summary: "Seal the group first." }, json: jsonOption },
  examples: [{ command: "taskyard group cancel --seal ID", says: "Nothing of it runs any more, or will." }],
  async run({ options, args, io }) {
    const taskGroupId = readId(args[0], "group");
    const { queue } = await connectTarget(io);
    if (options.seal) await queue.sealTaskGroup({ taskGroupId });
    const reply = await queue.cancelTaskGroup({ taskGroupId });
    const { cancelledCount, taskGroupSize } = reply;
    if (options.json) sayJson(io.stdout, reply);
    else
      say(
        io.stdout,
        `canceled ${cancelledCount} of ${taskGroupSize} ${taskGroupSize === 1 ? "task" : "tasks"}`,
      );
    return exitStatus.ok;
  },
});
