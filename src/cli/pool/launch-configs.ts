// `taskyard pool launch-configs`.
import { command } from "../command.ts";
import { localTime } from "../format.ts";
import { limitOf, pageOptions } from "../page-options.ts";
import { firstElements } from "../paginate.ts";
import { parsePoolId } from "../parse-task-queue.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";

export const poolLaunchConfigsCommand = command({
  name: "pool launch-configs",
  summary: "List the launch configs of a worker pool with the numbers of their workers.",
  details: ["A launch config that an update of the pool leaves out is archived, and its workers terminate."],
  args: [{ name: "POOL" }],
  options: { archived: { type: "flag", summary: "List also archived ones." }, ...pageOptions },
  examples: [
    {
      command: "taskyard pool launch-configs ci/linux --archived",
      description: "Show all that the pool has had.",
    },
  ],
  async run({ options, args, io }) {
    const workerPoolId = parsePoolId(args[0]);
    const limit = limitOf(options);
    const { workerManager } = await connectTarget(io);
    const filter = options.archived ? { includeArchived: "true" } : {};
    const configs = await firstElements(
      limit,
      (page) =>
        workerManager.listWorkerPoolLaunchConfigs({ workerPoolId }, { query: { ...filter, ...page } }),
      (page) => page.workerPoolLaunchConfigs,
    );
    const { launchConfigStats } = await workerManager.workerPoolStats({ workerPoolId });
    const stats = new Map(launchConfigStats.map((one) => [one.launchConfigId, one]));
    return writeList(io, options.json, {
      name: "workerPoolLaunchConfigs",
      ...configs,
      more: { launchConfigStats },
      header: ["LAUNCH CONFIG", "STATE", "RUNNING", "CAPACITY", "CREATED"],
      row: ({ launchConfigId, isArchived, created }) => [
        launchConfigId,
        isArchived ? "archived" : "active",
        String(stats.get(launchConfigId)?.runningCount ?? 0),
        String(stats.get(launchConfigId)?.currentCapacity ?? 0),
        localTime(created),
      ],
      none: `${workerPoolId} has no launch configs`,
    });
  },
});
