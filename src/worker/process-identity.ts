// Identifies processes in files of the worker's folder, so that a later worker can check whether they still run.
import Type from "typebox";
import type { Static } from "typebox";
import { codeOf } from "../lib/error-code.ts";
import { processStat } from "./proc-stat.ts";

export const ProcessIdentity = Type.Object({
  pid: Type.Integer(),
  /** When the process started (see ProcessStat), 0 if unknown. Process ids are reused. */
  began: Type.Integer(),
});
export type ProcessIdentity = Static<typeof ProcessIdentity>;

/** Returns the identity of this process. */
export const ownIdentity = (): ProcessIdentity => ({
  pid: process.pid,
  began: processStat(process.pid)?.startTicks ?? 0,
});

/** Reports whether the process still runs. A zombie does not. */
export function isRunning({ pid, began }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it belongs to another user.
    if (codeOf(error) !== "EPERM") return false;
  }
  const stat = processStat(pid);
  return stat === undefined ? began === 0 : stat.alive && stat.startTicks === began;
}
