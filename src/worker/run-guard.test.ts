import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { onlyOnLinux } from "../../test/support/only-if.ts";
import { eventually } from "../../test/support/until.ts";
import { slugid } from "../lib/slugid.ts";
import { runMark, runMarker } from "./engines/native/environment.ts";
import type { RunId } from "./engine.ts";
import { allProcesses } from "./proc-stat.ts";
import { startRunGuard } from "./run-guard.ts";

const newRun = (): RunId => ({ taskId: slugid(), runId: 0 });

/** Starts a command of a run with a descendant that has cleared its environment, and waits until both run. */
async function startCommand(run: RunId): Promise<{ alive(): number }> {
  const child = spawn("sh", ["-c", "env -i sleep 1001 & sleep 1002 & echo started; wait"], {
    env: { PATH: process.env["PATH"], [runMarker]: runMark(run.taskId, run.runId) },
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const group = child.pid ?? expect.fail("no process");
  const alive = (): number =>
    [...allProcesses()].filter((process) => process.alive && process.group === group).length;
  onTestFinished(() => void (alive() > 0 && process.kill(-group, "SIGKILL")));
  await once(child.stdout, "data");
  await eventually(() => expect(alive()).toBe(3));
  return { alive };
}

test("the processes of runs that have not ended are killed when the worker ends", onlyOnLinux, async () => {
  const [first, ended, last] = [newRun(), newRun(), newRun()];
  const guard = startRunGuard();
  for (const run of [first, ended, last]) guard.begin(run);
  guard.end(ended);
  const [killed, kept, alsoKilled] = [
    await startCommand(first),
    await startCommand(ended),
    await startCommand(last),
  ];
  guard.close();
  await eventually(() => expect([killed.alive(), alsoKilled.alive()]).toEqual([0, 0]));
  expect(kept.alive()).toBe(3);
});
