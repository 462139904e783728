import { expect, test } from "vitest";
import { payloadFaults } from "./payload-faults.ts";

const expires = "2026-02-01T00:00:00.000Z";
const dependency = "fN1SbArXTPSVFNUvaOlinQ";
const definition = { deadline: "2026-01-01T00:00:00.000Z", dependencies: [dependency], extra: {} };
const faultsOf = (payload: object, extra = {}) =>
  payloadFaults(
    { command: [["true"]], maxRunTime: 60, ...payload },
    { expires, definition: { ...definition, extra } },
  );
const file = (path: string, more: object = {}) => ({ type: "file", path, ...more });

test.each([
  ["../x", "leads out of the task's folder; copy the file into it"],
  ["a/../../x", "leads out of the task's folder"],
  ["..", "leads out of the task's folder"],
  ["/etc/passwd", "is absolute; write it relative to the task's folder"],
  ["a\0b", "has a NUL character"],
  ["", "is the task's folder, and not a file"],
  ["a/..", "is the task's folder, and not a file"],
])("no task can save a file with the path %j", (path, fault) => {
  expect(faultsOf({ artifacts: [file(path, { name: "a" })] })).toEqual([
    expect.stringContaining(`payload.artifacts[0].path is ${JSON.stringify(path)}, which ${fault}`),
  ]);
});

test.each(["a", "./a", "a/../b", "..a", "a//b/", "a/..b"])(
  "a task can save a file with the path %j",
  (path) => {
    expect(faultsOf({ artifacts: [file(path)] })).toEqual([]);
  },
);

test.each([".", "", "a/.."])("a task can save its folder as %j", (path) => {
  expect(faultsOf({ artifacts: [{ type: "directory", path, name: "all" }] })).toEqual([]);
});

test.each<[object, string]>([
  [
    { artifacts: [file("a", { name: "x" }), file("b", { name: "x/" })] },
    'payload.artifacts[1] has the same name "x" as another file; give each file a unique name',
  ],
  [
    { artifacts: [file("a", { name: "//" })] },
    'payload.artifacts[0] has the name "", which is empty; give it another "name"',
  ],
  [
    { artifacts: [file("a", { name: "public/logs/live.log/" })] },
    'payload.artifacts[0] has the name "public/logs/live.log", which the worker writes itself; choose another one',
  ],
  [
    { logs: { live: "a.log", backing: "a.log" } },
    'payload.logs: the worker would write two artifacts with the name "a.log"; give the live log, the backing log and the ' +
      "failure report different names",
  ],
  [{ command: [["true"], ["", "x"]] }, "payload.command[1][0] is empty; it must be the name of a program"],
  [
    { command: [["echo", "a\0b"]] },
    "payload.command[0][1] has a NUL character, which cannot be passed to a program: remove it",
  ],
  [
    {
      mounts: [{ content: { taskId: dependency, artifact: "ü.tar.gz" }, directory: "a", format: "tar.gz" }],
    },
    'payload.mounts[0].content.artifact is "ü.tar.gz", which has characters other than printable ASCII; no artifact has such a name',
  ],
])("what no worker could do is a fault: %j", (payload, fault) => {
  expect(faultsOf(payload)).toEqual([fault]);
});

test("the failure report needs a name of its own", () => {
  const extra = { taskyard: { failureReport: "report.json" } };
  expect(faultsOf({}, extra)).toEqual([]);
  expect(faultsOf({ artifacts: [file("report.json")] }, extra)).toEqual([
    'payload.artifacts[0] has the name "report.json", which the worker writes itself; choose another one',
  ]);
  expect(faultsOf({ logs: { backing: "report.json" } }, extra)[0]).toContain("two artifacts with the name");
});

test("all faults are found together", () => {
  expect(
    faultsOf({ env: { "": "x" }, osGroups: ["docker"], artifacts: [file("/x"), file("../x")] }),
  ).toHaveLength(4);
});
