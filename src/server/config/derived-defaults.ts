// Defaults that depend on the machine or on the home folder. The schema describes each of them in words.
import { availableParallelism, homedir, hostname } from "node:os";
import { join } from "node:path";

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
    userHome: homedir(),
  };
}

/** Returns the default home folder of an instance. */
export function defaultHome({ userHome }: Host): string {
  return join(userHome, ".taskyard");
}

/** Returns derived defaults by key. `home` is the home folder of the instance. */
export function derivedDefaults(host: Host, home: string): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>([
    ["home", home],
    ["artifacts.dir", join(home, "artifacts")],
    ["log.format", host.terminal ? "pretty" : "json"],
    ["worker.workerId", workerIdOf(host.hostname)],
    ["worker.capacity", host.cores],
    ["worker.workDir", join(home, "worker")],
  ]);
}

/** Derives a worker id from a host name: replaces other characters with dashes, and limits it to 38 characters. */
function workerIdOf(name: string): string {
  const id = name.replaceAll(/[^a-zA-Z0-9_-]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return id.slice(0, 38) || "worker";
}
