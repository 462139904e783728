// `taskyard run --local`: an instance that exists for one task.
import { rm } from "node:fs/promises";
import type { Io } from "../io.ts";
import { makeTemporaryFolder } from "../temporary-folder.ts";
import { prepare, startStack, type Stack } from "../stack.ts";

/** Starts an instance in a temporary folder, on a free port. Stopping it removes the folder. */
export async function startEphemeralStack(io: Io, taskQueueId: string): Promise<Stack> {
  const home = await makeTemporaryFolder("taskyard-local-");
  const remove = (): Promise<void> => rm(home, { recursive: true, force: true });
  try {
    // Ignores the user's variables and configuration file: with DATABASE_URL it would not be ephemeral.
    const sources = {
      env: { NO_COLOR: io.env["NO_COLOR"] },
      cwd: home,
      flags: [
        { key: "home", value: home, flag: "--local" },
        { key: "server.port", value: 0, flag: "--local" },
        { key: "worker.taskQueueId", value: taskQueueId, flag: "--task-queue" },
        { key: "log.level", value: "warn", flag: "--local" },
      ] as const,
    };
    const stack = await startStack(await prepare(sources, io.stderr), io.env);
    return {
      ...stack,
      async stop(reason) {
        const clean = await stack.stop(reason);
        await remove();
        return clean;
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
