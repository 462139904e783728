import { expect, test } from "vitest";
import { genericWorkerMembers, renderPayloadReference, verdictOn } from "./payload-reference.ts";

test("the reference states what the worker does with each member of generic-worker's payload", () => {
  const verdicts = Object.fromEntries(
    genericWorkerMembers.map(([member, payload]) => [member, verdictOn(member, payload).split(":", 1)[0]]),
  );
  const by = (verdict: string) => Object.keys(verdicts).filter((member) => verdicts[member] === verdict);
  expect(by("supported")).toEqual([
    "command",
    "maxRunTime",
    "env",
    "artifacts",
    "onExitStatus.retry",
    "logs",
    "mounts: folder from an artifact",
    "features.backingLog",
    "features.liveLog",
  ]);
  expect(by("accepted, without effect")).toEqual([
    "onExitStatus.purgeCaches",
    "supersederUrl",
    "taskclusterProxyInterface",
    "features.resourceMonitor",
  ]);
  expect(by("refused").length).toBe(genericWorkerMembers.length - 13);
  expect(renderPayloadReference()).toContain(
    "| `features.interactive` | refused: payload.features.interactive is not supported by this worker yet",
  );
});

test("the reference has a row for each member, at any depth", () => {
  const page = renderPayloadReference();
  expect(page).toContain(
    "| `maxRunTime` | integer | required | Seconds that all commands together may take.",
  );
  expect(page).toContain("| `artifacts[].type` | `file` or `directory` | required |");
  expect(page).toContain("| `features.liveLog` | boolean | `true` | Serve the log while the task runs. |");
});
