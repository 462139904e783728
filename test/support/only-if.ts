// Tests that cannot run everywhere.
import { spawnSync } from "node:child_process";
import type { TestOptions } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** Why the test did not run, as the continuation of "because". */
    leftOut?: string;
  }
}

/**
 * Returns options that skip a test or suite unless `condition` holds. The summary of the run then gives the reason, as the
 * continuation of "because".
 */
export const onlyIf = (condition: boolean, reason: string): TestOptions =>
  condition ? {} : { skip: true, meta: { leftOut: reason } };

const isRoot = process.getuid?.() === 0;

export const onlyOnLinux = onlyIf(
  process.platform === "linux",
  "it needs Linux (processes are observed in /proc)",
);
export const onlyAsRoot = onlyIf(isRoot, "the tests do not run as root");
/** For tests that mount a file system, in a container also only with the right to do so. */
export const onlyWithMounts = onlyIf(
  isRoot && spawnSync("unshare", ["--mount", "true"]).status === 0,
  "the tests may not mount file systems",
);
/** For tests of the first process of a container. */
export const onlyWithPidNamespaces = onlyIf(
  isRoot && spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "true"]).status === 0,
  "the tests may not make PID namespaces",
);
export const notAsRoot = onlyIf(!isRoot, "the tests run as root, who may read everything");
