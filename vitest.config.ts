import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["test/support/postgres-for-the-run.ts"],
    // Files share the modules of their worker: importing them anew for each file took 40% of the time. So a test resets
    // what it changes outside of its own objects (process.env, signal handlers, caches).
    isolate: false,
    // Vitest leaves one core of two idle by default; these tests wait for disks and sockets as much as they compute.
    maxWorkers: 2,
    // No test takes a tenth of this on a machine of its own. On one that is shared by ten it is still no failure to be slow.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
