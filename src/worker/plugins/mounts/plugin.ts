// `payload.mounts`: unpacks archives into the task's folder before the first command.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../../../lib/error-code.ts";
import { TaskFailedError } from "../../outcome.ts";
import { definePlugin } from "../../plugin.ts";
import type { Plugin } from "../../plugin.ts";
import type { TaskContext } from "../../task-context.ts";
import { messageOf } from "../../worker-monitor.ts";
import { payloadSchema, readMounts, type ArchiveMount } from "./payload.ts";
import { unpack } from "./unpack.ts";

/** Creates the plugin. `maxBytes` is the maximum size of an archive, and of its files together. */
export function mountsPlugin(maxBytes: number): Plugin {
  return definePlugin({
    name: "mounts",
    payloadSchema,
    faults: ({ mounts }, { definition }) => readMounts(mounts, definition).faults,
    newTask(task, { mounts }) {
      const { archives } = readMounts(mounts, task.info.definition);
      return Promise.resolve({
        async build() {
          for (const [index, mount] of archives.entries()) await make(task, mount, index, maxBytes);
        },
      });
    },
  });
}

async function make(task: TaskContext, mount: ArchiveMount, index: number, maxBytes: number): Promise<void> {
  const { taskId, artifact: name, sha256, directory } = mount;
  const { log, signal, taskDir } = task;
  const archive = join(task.controlDir, `mount-${index}.tar.gz`);
  try {
    const received = await task.downloads.save({ taskId, name }, { path: archive, maxBytes, signal });
    log.info(
      `[mounts] Downloaded ${name} of task ${taskId}: ${received.bytes} bytes, SHA-256 ${received.sha256}`,
    );
    if (sha256 !== undefined && sha256 !== received.sha256)
      throw new TaskFailedError(
        `the archive has the SHA-256 ${received.sha256}, but the payload has ${sha256}: correct it, or check what the other task made`,
      );
    const warn = (text: string): void => log.warn(`[mounts] ${text}`);
    await unpack({ archive, taskDir, directory, maxBytes, warn, signal });
    log.info(`[mounts] Unpacked it to ${directory}`);
  } catch (error) {
    signal.throwIfAborted();
    throw explained(error, `payload.mounts[${index}]`);
  } finally {
    await rm(archive, { force: true });
  }
}

/** Adds the place in the payload to the error. */
function explained(error: unknown, at: string): unknown {
  if (error instanceof TaskFailedError)
    return new TaskFailedError(`${at}: ${error.message}`, { cause: error });
  // Errors of zlib and tar about the archive's content have such codes.
  if (/^(Z_|TAR_)/.test(codeOf(error) ?? ""))
    return new TaskFailedError(
      `${at}: the artifact must be a valid tar.gz archive, and is not: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  return error;
}
