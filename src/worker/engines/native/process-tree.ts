// Finds and ends all processes of a run: the command's group, its descendants, and strays that left both.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { allProcesses } from "../../proc-stat.ts";
import type { ProcessStat } from "../../proc-stat.ts";
import { runMarker } from "./environment.ts";

export interface RunProcesses {
  /** Process groups that the worker made, one a command. */
  readonly groups: readonly number[];
  /** The value of the marker variable that the run's processes inherited. */
  readonly mark: string;
  /** When the first of them began (see ProcessStat). What is older is not looked into, which costs three times as much. */
  readonly since?: number | undefined;
}

// Processes that survive SIGKILL for this long hang in the kernel (a dead network disk); nobody can end them.
const giveUpAfterMs = 5000;

/**
 * Kills until nothing is left, and looks again after each round, since a process may fork while it is being looked at.
 * Answers the process ids that could not be ended within five seconds: none, but for those that hang in the kernel.
 */
export async function killRun(run: RunProcesses): Promise<readonly number[]> {
  const end = performance.now() + giveUpAfterMs;
  for (let waitMs = 2; ; waitMs = Math.min(100, waitMs * 2)) {
    // Looked for before the first kill: orphans lose their parent, and with it the way to find them.
    const targets = findRunProcesses(run);
    if (targets.length === 0 || performance.now() > end) return targets.map(({ pid }) => pid);
    // The group at one blow where it has members left; the number of an empty one may be somebody else's by now.
    for (const group of run.groups) if (targets.some((target) => target.group === group)) signal(-group);
    for (const { pid } of targets) signal(pid);
    // Nothing tells when somebody else's child has gone, so this has to look again.
    await sleep(waitMs);
  }
}

/** A run's living processes, as /proc shows them. */
export function findRunProcesses({ groups, mark, since = 0 }: RunProcesses): readonly ProcessStat[] {
  const found = new Map<number, ProcessStat>();
  const others: ProcessStat[] = [];
  for (const process of allProcesses()) {
    if (!process.alive || process.began < since) continue;
    if (groups.includes(process.group) || hasMark(process.pid, mark)) found.set(process.pid, process);
    else others.push(process);
  }
  // Children of what was found, to any depth: a task may clear the environment of what it starts.
  for (let grew = found.size > 0; grew;) {
    grew = false;
    for (const process of others) {
      if (found.has(process.pid) || !found.has(process.parent)) continue;
      found.set(process.pid, process);
      grew = true;
    }
  }
  return [...found.values()];
}

function hasMark(pid: number, mark: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}`.includes(`\0${runMarker}=${mark}\0`);
  } catch {
    // It is gone by now, or belongs to somebody else.
    return false;
  }
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}
