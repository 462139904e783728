// Builds the graph pack → (types, tests) → report on the source of this repository.
import { slugid } from "../../src/client/index.ts";

export interface GraphTask {
  readonly name: string;
  readonly taskId: string;
  readonly definition: {
    readonly taskQueueId: string;
    readonly taskGroupId: string;
    readonly dependencies: string[];
    readonly created: string;
    readonly deadline: string;
    readonly expires: string;
    readonly payload: Record<string, unknown>;
    readonly metadata: { name: string; description: string; owner: string; source: string };
    readonly tags: Record<string, string>;
  };
}

export interface GraphOptions {
  readonly taskQueueId: string;
  /** The folder of the repository; the worker must be able to read it. */
  readonly source: string;
  readonly now: number;
}

const hour = 3_600_000;

/** Downloads an artifact of an earlier task: `node -e "$FETCH" <taskId> <artifact> <file>`. */
const FETCH = `
const [taskId, name, file] = process.argv.slice(1);
const root = process.env.TASKCLUSTER_ROOT_URL;
const url = root + "/api/queue/v1/task/" + taskId + "/artifacts/" + encodeURIComponent(name);
fetch(url).then(async (response) => {
  if (!response.ok) throw new Error(url + ": " + response.status + " " + (await response.text()));
  require("node:fs").writeFileSync(file, Buffer.from(await response.arrayBuffer()));
});`;

/** Summarizes the output of the compiler and the test runner in a report. */
const REPORT = `
const { readFileSync, writeFileSync } = require("node:fs");
const tests = JSON.parse(readFileSync("tests.json", "utf8"));
const types = readFileSync("types.txt", "utf8").trim();
const report = [
  "# Self check", "",
  "* types: " + (types === "" ? "no errors" : types.split("\\n").length + " lines of errors"),
  "* tests: " + tests.numPassedTests + " passed, " + tests.numFailedTests + " failed",
  "",
].join("\\n");
writeFileSync("report.md", report);
console.log(report);`;

/** Returns the tasks in creation order: each after its dependencies. */
export function selfCheck({ taskQueueId, source, now }: GraphOptions): GraphTask[] {
  const taskGroupId = slugid();
  const task = (
    name: string,
    description: string,
    dependencies: readonly GraphTask[],
    commands: string,
    artifacts: readonly string[],
  ): GraphTask => ({
    name,
    taskId: slugid(),
    definition: {
      taskQueueId,
      taskGroupId,
      dependencies: dependencies.map((d) => d.taskId),
      created: new Date(now).toISOString(),
      deadline: new Date(now + hour).toISOString(),
      expires: new Date(now + 24 * hour).toISOString(),
      payload: {
        command: [["sh", "-euc", commands]],
        maxRunTime: 600,
        env: {
          SOURCE: source,
          FETCH,
          REPORT,
          ...Object.fromEntries(dependencies.map((d) => [`${d.name.toUpperCase()}_TASK`, d.taskId])),
        },
        artifacts: artifacts.map((path) => ({ type: "file", path, name: `public/${path}` })),
      },
      metadata: {
        name: `self-check: ${name}`,
        description,
        owner: "nobody@example.com",
        source: "https://example.com/taskyard/examples/self-check",
      },
      tags: { example: "self-check", step: name },
    },
  });
  const unpack = `
    node -e "$FETCH" "$PACK_TASK" public/source.tar.gz source.tar.gz
    tar -xzf source.tar.gz
    ln -s "$SOURCE/node_modules" node_modules`;

  const pack = task(
    "pack",
    "Packs the source.",
    [],
    `tar -czf source.tar.gz -C "$SOURCE" package.json tsconfig.json src/lib test/support`,
    ["source.tar.gz"],
  );
  const types = task(
    "types",
    "Checks the types of src/lib.",
    [pack],
    `${unpack}
    echo '{"extends":"./tsconfig.json","include":["src/lib"]}' > tsconfig.check.json
    node_modules/.bin/tsc -p tsconfig.check.json > types.txt || { cat types.txt; exit 1; }`,
    ["types.txt"],
  );
  const tests = task(
    "tests",
    "Runs the unit tests of src/lib.",
    [pack],
    `${unpack}
    echo 'export default { test: { include: ["src/lib/**/*.test.ts"] } }' > vitest.config.mjs
    node_modules/.bin/vitest run --configLoader=native --reporter=default --reporter=json --outputFile=tests.json`,
    ["tests.json"],
  );
  const report = task(
    "report",
    "Summarizes the results of both checks.",
    [types, tests],
    `
    node -e "$FETCH" "$TYPES_TASK" public/types.txt types.txt
    node -e "$FETCH" "$TESTS_TASK" public/tests.json tests.json
    node -e "$REPORT"`,
    ["report.md"],
  );
  return [pack, types, tests, report];
}
