import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { deprecationsThrow } from "./test/support/deprecations.ts";

/** Substrings of the paths of test files that mostly wait, for processes and real time. */
const waiting = ["/test/scenarios/", "/http/slow-connections.", "/src/worker/task-run.", "/src/worker/main."];

/** Runs the files that wait first, so that others use their idle time and none of them runs alone at the end. */
class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const waits = ({ moduleId }: TestSpecification): boolean =>
      waiting.some((part) => moduleId.includes(part));
    return [...sorted.filter(waits), ...sorted.filter((file) => !waits(file))];
  }
}

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    reporters: ["./test/support/run-reporter.ts"],
    globalSetup: ["test/support/run-folder.ts", "test/support/postgres-for-the-run.ts"],
    // Files share the modules of their worker, because importing them again for each file took 40% of the time. A test
    // therefore restores any global state that it changes (process.env, signal handlers, caches).
    isolate: false,
    // Larger young generations and one helper thread: collections are a tenth of the work of a run, and the threads of the
    // workers compete for the cores.
    execArgv: [...deprecationsThrow, "--max-semi-space-size=32", "--v8-pool-size=1"],
    sequence: { sequencer: WaitingFirst },
    // Tests wait for disks, sockets and processes half of the time, so four workers for two cores keep them busy (three are 4%
    // slower). At most eight: each has up to 30 connections to PostgreSQL, and takes 500 MB.
    maxWorkers: Math.min(2 * availableParallelism(), 8),
    // On an idle machine no test takes a tenth of this. A test on a machine with ten other users may be slow without failing.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
