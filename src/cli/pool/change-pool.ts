// `taskyard pool create` and `taskyard pool update`.
import type { PoolRequest, WorkerPool } from "../../api/worker-manager/pools.ts";
import type { Client } from "../../client/connect.ts";
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption, type Command } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { parsePoolId } from "../parse-task-queue.ts";
import { connectTarget } from "../target.ts";

type Declared = Pick<Command, "name" | "summary" | "details" | "examples"> & {
  change(client: Client, workerPoolId: string, request: PoolRequest): Promise<WorkerPool>;
  done(pool: WorkerPool): string;
};

/** Declares a command that sends the definition of a pool. */
const definitionCommand = ({ change, done, ...declared }: Declared): Command =>
  command({
    ...declared,
    args: [{ name: "POOL" }, { name: "FILE" }],
    options: { json: jsonOption },
    async run({ options, args: [word, file = ""], io }) {
      const workerPoolId = parsePoolId(word);
      // Imported here: YAML takes longer to load than most commands run.
      const { readPool } = await import("./read-pool.ts");
      const request = await readPool(workerPoolId, file, io);
      const pool = await change(await connectTarget(io), workerPoolId, request);
      if (options.json) writeJson(io.stdout, pool);
      else writeLine(io.stdout, `pool ${workerPoolId} ${done(pool)}`);
      return exitStatus.ok;
    },
  });

export const poolCreateCommand = definitionCommand({
  name: "pool create",
  summary: "Create a worker pool.",
  details: [
    "FILE contains providerId, description, owner and config, and optionally emailOnError, in YAML or JSON; - is standard input. " +
      "docs/guides/worker-pools.md has examples.",
  ],
  examples: [
    {
      command: "taskyard pool create ci/linux linux.yml",
      description: "Create a pool as the file describes it.",
    },
  ],
  change: ({ workerManager }, workerPoolId, request) =>
    workerManager.createWorkerPool({ workerPoolId }, request),
  done: ({ providerId }) => `created with the provider ${providerId}`,
});

export const poolUpdateCommand = definitionCommand({
  name: "pool update",
  summary: "Replace the definition of a worker pool.",
  details: [
    "FILE is as for `taskyard pool create`. What it leaves out, the pool loses. It may have the other members of a pool that " +
      "`taskyard pool show --json` prints, so that its output can be edited and sent back.",
  ],
  examples: [
    {
      command: "taskyard pool update ci/linux linux.yml",
      description: "Make a pool what the file describes.",
    },
  ],
  change: ({ workerManager }, workerPoolId, request) =>
    workerManager.updateWorkerPool({ workerPoolId }, request),
  done: () => "updated",
});
