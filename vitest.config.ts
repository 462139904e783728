import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["test/support/postgres-for-the-run.ts"],
    // Real processes and databases are slower than a pure function, but nothing here should take this long.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
