import Value from "typebox/value";
import { expect, test } from "vitest";
import { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { UsageError } from "../cli-error.ts";
import { artifactName, runDefinition } from "./definition.ts";
import { parsePaths, parseSeconds, readVariables } from "./parse-options.ts";

const request = {
  argv: ["sh", "-c", "echo hi"],
  env: { A: "1" },
  artifacts: ["out.txt", "./dist/"],
  taskQueueId: "proj/linux",
  maxRunTime: 600,
  priority: "high",
  name: undefined,
  rootUrl: "http://localhost:8080",
} as const;
const now = Date.UTC(2026, 0, 31, 12);

test("the command line becomes a task in the form of generic-worker", () => {
  const definition = runDefinition(request, now, undefined);
  expect(Value.Errors(TaskDefinitionRequest, definition)).toEqual([]);
  expect(definition).toMatchObject({
    taskQueueId: "proj/linux",
    priority: "high",
    created: "2026-01-31T12:00:00.000Z",
    deadline: "2026-02-01T12:10:00.000Z",
    payload: {
      command: [["sh", "-c", "echo hi"]],
      maxRunTime: 600,
      env: { A: "1" },
      artifacts: [
        { type: "file", path: "out.txt", name: "public/out.txt" },
        { type: "directory", path: "./dist", name: "public/dist" },
      ],
    },
    extra: { taskyard: { failureReport: "public/taskyard/failure-report.json" } },
    metadata: { name: "sh -c echo hi", source: "http://localhost:8080" },
  });
  expect(definition).not.toHaveProperty("dependencies");
});

test("what another task prepares comes first", () => {
  const taskId = "fN1SbArXTPSVFNUvaOlinQ";
  const preparation = { dependencies: [taskId], taskGroupId: taskId, command: ["get"], env: { URL: "u" } };
  expect(runDefinition(request, now, preparation)).toMatchObject({
    dependencies: [taskId],
    taskGroupId: taskId,
    payload: { command: [["get"], ["sh", "-c", "echo hi"]], env: { A: "1", URL: "u" } },
  });
});

test("a command of any length has a name that the queue takes", () => {
  const long = runDefinition({ ...request, argv: ["echo", "x".repeat(40_000)] }, now, undefined);
  expect(Value.Errors(TaskDefinitionRequest, long)).toEqual([]);
  expect(long.metadata.name).toHaveLength(255);
  expect(long.metadata.name.endsWith("…")).toBe(true);
});

test("artifacts are below public/, whatever their path looks like", () => {
  expect(["a", "./a/b/", "/abs//x", "a/./b"].map(artifactName)).toEqual([
    "public/a",
    "public/a/b",
    "public/abs/x",
    "public/a/b",
  ]);
});

test("variables are given, or taken from here", () => {
  const here = { HERE: "h=1", EMPTY: "" };
  expect(readVariables(["A=1", "B=x=y", "C=", "HERE", "EMPTY"], here)).toEqual({
    A: "1",
    B: "x=y",
    C: "",
    HERE: "h=1",
    EMPTY: "",
  });
  expect(() => readVariables(["=x"], here)).toThrow(new UsageError("--env =x: write NAME=VALUE"));
});

test("times are seconds, or have a unit", () => {
  expect(["600", "10m", "2h", "1500ms"].map(parseSeconds)).toEqual([600, 600, 7200, 2]);
});

test("artifacts stay in the task's folder", () => {
  expect(parsePaths(["a", "b/..c/"])).toEqual(["a", "b/..c/"]);
  for (const path of ["", ".", "./", "/", "..", "a/../../b"])
    expect(() => parsePaths([path])).toThrow(UsageError);
});
