// Defaults that depend on the machine or on the home folder. The schema describes each of them in words.
import { createHash } from "node:crypto";
import { availableParallelism, hostname } from "node:os";
import { join } from "node:path";
import { userHome } from "../../lib/user-home.ts";

/** The properties of the machine that defaults depend on. */
export interface Host {
  readonly hostname: string;
  readonly cores: number;
  /** Whether standard output is a terminal. */
  readonly terminal: boolean;
  /** The home folder of the user that runs the process. */
  readonly userHome: string;
}

/** Returns the properties of this machine. */
export function thisHost(): Host {
  return {
    hostname: hostname(),
    cores: availableParallelism(),
    terminal: process.stdout.isTTY,
    userHome: userHome(),
  };
}

/** Returns the default home folder of an instance. */
export function defaultHome({ userHome }: Host): string {
  return join(userHome, ".taskyard");
}

/** Returns derived defaults by key. `home` is the home folder of the instance, `workDir` the folder of its worker, if it is set. */
export function derivedDefaults(
  host: Host,
  home: string,
  workDir: string | undefined,
): ReadonlyMap<string, unknown> {
  const ownDir = join(home, "worker");
  return new Map<string, unknown>([
    ["home", home],
    ["artifacts.dir", join(home, "artifacts")],
    ["log.format", host.terminal ? "pretty" : "json"],
    ["worker.workerId", workerIdOf(host, workDir ?? ownDir)],
    ["worker.capacity", host.cores],
    ["worker.workDir", ownDir],
  ]);
}

/**
 * Derives a worker id from the host's name: replaces other characters with dashes, and limits it to 38 characters. Workers with
 * another folder than the default one get a suffix, since several may be on one host.
 */
function workerIdOf(host: Host, workDir: string): string {
  const name = host.hostname.replaceAll(/[^a-zA-Z0-9_-]+/g, "-").replaceAll(/^-+|-+$/g, "") || "worker";
  if (workDir === join(defaultHome(host), "worker")) return name.slice(0, 38);
  const suffix = createHash("sha256").update(workDir).digest("hex").slice(0, 6);
  return `${name.slice(0, 31)}-${suffix}`;
}
