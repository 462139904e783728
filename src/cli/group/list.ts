// `taskyard group list`.
import { UsageError } from "../cli-error.ts";
import { colorsFor } from "../colors.ts";
import { command } from "../command.ts";
import { oneLine, timeBetween } from "../format.ts";
import { listOptions, listQuery, noneFound } from "../list-options.ts";
import { firstElements } from "../paginate.ts";
import { startSpinner } from "../spinner.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";

export const groupListCommand = command({
  name: "group list",
  summary: "List task groups, newest first: by name, state or time.",
  details: [
    "Lists groups in the order of their creation. The name of a group is that of the graph file from which `taskyard graph run` " +
      "created it, otherwise that of its first task. `taskyard group status ID` shows its tasks.",
  ],
  args: [],
  options: {
    ...listOptions,
    state: {
      type: "value",
      value: "STATE",
      summary: "Only groups in this state: resolved, if all of their tasks were resolved, or unresolved.",
    },
  },
  examples: [
    { command: "taskyard group list", description: "Show the 50 newest groups." },
    {
      command: "taskyard group list --name nightly --since '7 days'",
      description: "Show the groups of the last week with this text in their names.",
    },
  ],
  async run({ options, io }) {
    const now = Date.now();
    const { query: common, limit } = listQuery(options, now);
    const { state } = options;
    if (state !== undefined && state !== "resolved" && state !== "unresolved")
      throw new UsageError(`--state ${state}: must be resolved or unresolved`);
    const filters = { ...common, ...(state !== undefined && { resolved: String(state === "resolved") }) };
    const { queue } = await connectTarget(io);
    const spinner = startSpinner(io, "searching");
    const groups = await firstElements(
      limit,
      (page) => queue.listTaskGroups({ query: { ...filters, ...page } }),
      (page) => page.taskGroups,
    ).finally(() => spinner.stop());
    const colors = colorsFor(io.stdout, io.env);
    const at = new Date(now).toISOString();
    return writeList(io, options.json, {
      name: "taskGroups",
      ...groups,
      header: ["GROUP", "STATE", "CREATED", "NAME"],
      row: (group) => [
        group.taskGroupId,
        group.unresolved === 0 ? "resolved" : colors.yellow(`${group.unresolved} unresolved`),
        `${timeBetween(group.created, at)} ago`,
        oneLine(group.name ?? "-"),
      ],
      none: noneFound("groups", filters),
    });
  },
});
