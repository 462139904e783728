// A PID namespace for one run, where the machine allows it. Its end is the end of all its processes, also of those that no
// search finds: in another session, without a parent, with an empty environment. The processes of a run see neither those of
// other runs nor the worker.
//
// Its first process ends when the worker closes a pipe or no longer exists. So a worker that is killed leaves no process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { TaskUser } from "./task-user.ts";

export interface Namespace {
  /** The words in front of a command that run it in the namespace, as the task's user. */
  readonly enter: readonly string[];
  /** Ends all processes. Returns the ids of those that could not be ended within five seconds. Idempotent. */
  end(): Promise<readonly number[]>;
}

// The shell waits for `cat`, and meanwhile for every process that has lost its parent. `cat` alone would leave zombies.
const firstProcess = ["sh", "-c", "echo started; cat; exit"];
const giveUpAfterMs = 5000;

/** Reports whether the machine allows namespaces. Tries it. */
export async function allowsNamespaces(user: TaskUser): Promise<boolean> {
  if (process.platform !== "linux") return false;
  const namespace = await openNamespace(user);
  if (namespace === undefined) return false;
  try {
    const words = [...namespace.enter.slice(1), "sh", "-c", "exit 7"];
    const [code]: unknown[] = await once(spawn("nsenter", words, { stdio: "ignore" }), "exit");
    return code === 7;
  } catch {
    return false;
  } finally {
    await namespace.end();
  }
}

/** Creates a namespace. Returns undefined if the machine does not allow it, or not now: the kernel limits their number. */
export async function openNamespace(user: TaskUser): Promise<Namespace | undefined> {
  // Only root may create one directly. Other users need one of users around it, in which they keep their own id.
  const isRoot = process.getuid?.() === 0;
  const options = [...(isRoot ? [] : ["--user", "--map-current-user"]), "--pid", "--fork", "--mount-proc"];
  // In a session of its own, so that a Ctrl-C at the worker's terminal does not end it.
  const holder = spawn("unshare", [...options, "--kill-child", ...firstProcess], {
    cwd: "/",
    detached: true,
    env: { PATH: process.env["PATH"] },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const exited = new Promise<void>((resolve) => {
    holder.once("error", () => resolve());
    holder.once("exit", () => resolve());
  });
  holder.stdin.on("error", () => undefined);
  await Promise.race([once(holder.stdout, "data"), exited]);
  const { pid } = holder;
  const first = pid === undefined || holder.exitCode !== null ? undefined : onlyChild(pid);
  const end = async (): Promise<readonly number[]> => {
    // The kernel lets the first process end only when all others have ended.
    if (first !== undefined) kill(first);
    holder.stdin.destroy();
    holder.stdout.destroy();
    const waiting = new AbortController();
    const late = sleep(giveUpAfterMs, true, { signal: waiting.signal }).catch(() => false);
    const isLate = await Promise.race([exited, late]);
    waiting.abort();
    return isLate === true && first !== undefined ? [first] : [];
  };
  if (first === undefined) {
    await end();
    return undefined;
  }
  const of = (name: string): string => `/proc/${pid}/ns/${name}`;
  const enter = [
    "nsenter",
    `--pid=${of("pid_for_children")}`,
    `--mount=${of("mnt")}`,
    ...(isRoot
      ? ["--setgid", String(user.gid), "--setuid", String(user.uid)]
      : [`--user=${of("user")}`, "--preserve-credentials"]),
    "--",
  ];
  let ended: Promise<readonly number[]> | undefined;
  return { enter, end: () => (ended ??= end()) };
}

function onlyChild(pid: number): number | undefined {
  try {
    return Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1"), 10) || undefined;
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already, and the others with it.
  }
}
