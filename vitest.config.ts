import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["test/support/postgres-for-the-run.ts"],
    // Vitest leaves one core of two idle by default; these tests wait for disks and sockets as much as they compute.
    maxWorkers: 2,
    // No test takes a tenth of this on a machine of its own. On one that is shared by ten it is still no failure to be slow.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
