import Value from "typebox/value";
import { expect, test } from "vitest";
import { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { UsageError } from "../cli-error.ts";
import { artifactName, runDefinition } from "./definition.ts";
import { parsePaths, parseSeconds, parseVariables } from "./parse-options.ts";

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

test("the command line becomes a task with a generic-worker payload", () => {
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

test("a source adds a mount, the task that provides it, and the scope to read it", () => {
  const taskId = "fN1SbArXTPSVFNUvaOlinQ";
  const scopes = [`queue:get-artifact:taskyard/source/${taskId}.tar.gz`];
  const mounts = [{ content: { taskId, artifact: "a" }, directory: ".", format: "tar.gz" }] as const;
  const source = { dependencies: [taskId], taskGroupId: taskId, scopes, mounts };
  expect(runDefinition(request, now, source)).toMatchObject({
    dependencies: [taskId],
    taskGroupId: taskId,
    scopes,
    payload: { command: [["sh", "-c", "echo hi"]], env: { A: "1" }, mounts },
  });
});

test("the name of a long command is truncated to the length that the queue accepts", () => {
  const long = runDefinition({ ...request, argv: ["echo", "x".repeat(40_000)] }, now, undefined);
  expect(Value.Errors(TaskDefinitionRequest, long)).toEqual([]);
  expect(long.metadata.name).toHaveLength(255);
  expect(long.metadata.name.endsWith("…")).toBe(true);
});

test("artifacts are below public/, whatever their path", () => {
  expect(["a", "./a/b/", "/abs//x", "a/./b"].map(artifactName)).toEqual([
    "public/a",
    "public/a/b",
    "public/abs/x",
    "public/a/b",
  ]);
});

test("a variable has the given value, or its value in this environment", () => {
  const env = { HERE: "h=1", EMPTY: "" };
  expect(parseVariables(["A=1", "B=x=y", "C=", "HERE", "EMPTY"], env)).toEqual({
    A: "1",
    B: "x=y",
    C: "",
    HERE: "h=1",
    EMPTY: "",
  });
  expect(() => parseVariables(["=x"], env)).toThrow(new UsageError("--env =x: must be NAME=VALUE or NAME"));
});

test("times are in seconds, or have a unit", () => {
  expect(["600", "10m", "2h", "1500ms"].map(parseSeconds)).toEqual([600, 600, 7200, 2]);
});

test("artifact paths must stay inside the task's folder", () => {
  expect(parsePaths(["a", "b/..c/"])).toEqual(["a", "b/..c/"]);
  for (const path of ["", ".", "./", "/", "..", "a/../../b", "/etc/passwd"])
    expect(() => parsePaths([path])).toThrow(UsageError);
});
