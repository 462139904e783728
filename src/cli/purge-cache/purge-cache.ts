// `taskyard purge-cache request` and `taskyard purge-cache list`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { localTime, oneLine } from "../format.ts";
import { writeJson, writeLine } from "../io.ts";
import { paginate } from "../paginate.ts";
import { parseTaskQueueId } from "../parse-task-queue.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";

export const purgeRequestCommand = command({
  name: "purge-cache request",
  summary: "Ask the workers of a pool to discard a cache.",
  details: ["Workers discard the caches of this name that exist now, before they use them again."],
  args: [{ name: "POOL" }, { name: "CACHE" }],
  options: { json: jsonOption },
  examples: [
    { command: "taskyard purge-cache request ci/linux npm", description: "Discard a broken cache." },
  ],
  async run({ options, args, io }) {
    const workerPoolId = parseTaskQueueId(args[0] ?? "");
    const cacheName = args[1] ?? "";
    const { purgeCache } = await connectTarget(io);
    await purgeCache.purgeCache({ workerPoolId }, { cacheName });
    if (options.json) writeJson(io.stdout, { workerPoolId, cacheName });
    else writeLine(io.stdout, `the workers of ${workerPoolId} will discard the cache ${cacheName}`);
    return exitStatus.ok;
  },
});

export const purgeListCommand = command({
  name: "purge-cache list",
  summary: "List the requests of the last day to discard caches.",
  args: [{ name: "POOL", optional: true }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard purge-cache list ci/linux", description: "List those for a pool." }],
  async run({ options, args: [pool], io }) {
    const workerPoolId = pool === undefined ? undefined : parseTaskQueueId(pool);
    const { purgeCache } = await connectTarget(io);
    const requests = [];
    if (workerPoolId === undefined)
      for await (const page of paginate((query) => purgeCache.allPurgeRequests({ query })))
        requests.push(...page.requests);
    else requests.push(...(await purgeCache.purgeRequests({ workerPoolId })).requests);
    return writeList(io, options.json, {
      name: "requests",
      found: requests,
      goesOn: false,
      header: ["POOL", "CREATED BEFORE", "CACHE"],
      row: (request) => [
        `${request.provisionerId}/${request.workerType}`,
        localTime(request.before),
        oneLine(request.cacheName),
      ],
      none: "no requests in the last day",
    });
  },
});
