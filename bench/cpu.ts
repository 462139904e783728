// CPU time and memory of other processes, from /proc. On a shared machine, CPU per call says more than the rate.
import { readdirSync, readFileSync } from "node:fs";

export interface Usage {
  /** CPU seconds of the Node process. */
  readonly node: number;
  /** CPU seconds of all PostgreSQL processes. */
  readonly postgres: number;
  /** Resident memory of the Node process, in MiB. */
  readonly nodeMemory: number;
}

const ticksPerSecond = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly seconds: number;
}

function stat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [parent, user, system, ofChildren, systemOfChildren] = [1, 11, 12, 13, 14].map((i) =>
      Number(fields[i]),
    );
    const ticks = (user ?? 0) + (system ?? 0) + (ofChildren ?? 0) + (systemOfChildren ?? 0);
    return { pid, parent: parent ?? 0, name, seconds: ticks / ticksPerSecond };
  } catch {
    // The process has ended.
    return undefined;
  }
}

/** Returns what the server process and its PostgreSQL have used so far. */
export function usageOf(serverPid: number): Usage {
  const all = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => stat(Number(entry)) ?? []);
  const family = new Set([serverPid]);
  for (let grew = true; grew;) {
    const size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
    grew = family.size > size;
  }
  const seconds = (of: (s: Stat) => boolean): number =>
    all.filter((s) => family.has(s.pid) && of(s)).reduce((sum, s) => sum + s.seconds, 0);
  const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${serverPid}/status`, "utf8"))?.[1];
  return {
    node: seconds((s) => s.pid === serverPid),
    postgres: seconds((s) => s.name.startsWith("postgres")),
    nodeMemory: Number(memory ?? 0) / 1024,
  };
}
