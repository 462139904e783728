import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["test/support/postgres-for-the-run.ts"],
    // Vitest leaves one core of two idle by default; these tests wait for disks and sockets as much as they compute.
    maxWorkers: 2,
    // Real processes and databases are slower than a pure function, but nothing here should take this long.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
