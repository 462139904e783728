// Finds and ends all processes of a run: the command's group, its descendants, and processes that left both.
import { readFileSync, readlinkSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { allProcesses } from "../../proc-stat.ts";
import type { ProcessStat } from "../../proc-stat.ts";
import { runMarker } from "./environment.ts";

export interface RunProcesses {
  /** Process groups that the worker created, one per command. */
  readonly groups: readonly number[];
  /** The value of the marker variable that the run's processes inherit. */
  readonly mark: string;
  /** Start time of the first of them (see ProcessStat). Skips older processes: checking all costs three times as much. */
  readonly since?: number | undefined;
  /** Folders of the run. A process that works in one of them, or writes to a pipe from there, belongs to the run. */
  readonly folders: readonly string[];
}

// Processes that survive SIGKILL for this long hang in the kernel, for example on a dead network disk, and cannot be ended.
const giveUpAfterMs = 5000;

/**
 * Kills all processes of a run. Repeats the search after each iteration, since a process may fork in the meantime. Returns
 * the ids of processes that could not be ended within five seconds, which happens only to those that hang in the kernel.
 */
export async function killRun(run: RunProcesses): Promise<readonly number[]> {
  const end = performance.now() + giveUpAfterMs;
  for (let waitMs = 2; ; waitMs = Math.min(100, waitMs * 2)) {
    // The search comes before the first kill, because it finds processes by their parent and orphans lose theirs.
    const targets = findRunProcesses(run);
    if (targets.length === 0 || performance.now() > end) return targets.map(({ pid }) => pid);
    // Signals a group only if it still has members: the id of an empty group may be in use by another one.
    for (const group of run.groups) if (targets.some((target) => target.group === group)) signal(-group);
    for (const { pid } of targets) signal(pid);
    // There is no notification when a process ends that is not our child, so this polls.
    await sleep(waitMs);
  }
}

/** Returns the living processes of a run, according to /proc. */
export function findRunProcesses({ groups, mark, since = 0, folders }: RunProcesses): readonly ProcessStat[] {
  const found = new Map<number, ProcessStat>();
  const others: ProcessStat[] = [];
  for (const process of allProcesses()) {
    if (!process.alive || process.startTicks < since) continue;
    const { pid, group } = process;
    if (groups.includes(group) || hasMark(pid, mark) || usesFolder(pid, folders))
      found.set(process.pid, process);
    else others.push(process);
  }
  // Adds descendants at any depth: a task may clear the environment of the processes that it starts.
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
    // It has ended, or belongs to another user.
    return false;
  }
}

/** Reports whether the working directory or the output of a process is in one of the folders, also if it was removed. */
function usesFolder(pid: number, folders: readonly string[]): boolean {
  return ["cwd", "fd/1", "fd/2"].some((link) => {
    try {
      const path = readlinkSync(`/proc/${pid}/${link}`).replace(/ \(deleted\)$/, "");
      return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
    } catch {
      return false;
    }
  });
}

/**
 * Returns the ids of processes that may come from a run and that no search can attribute to it: they belong to the user,
 * started during the run, and have lost their parent.
 */
export function possibleSurvivors(uid: number, since: number): readonly number[] {
  const found: number[] = [];
  for (const { pid, parent, alive, startTicks } of allProcesses())
    if (parent === 1 && alive && startTicks >= since && ownerOf(pid) === uid) found.push(pid);
  return found;
}

function ownerOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return undefined;
  }
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
