// Defaults that the machine or the home folder decides; the schema tells each of them in words.
import { availableParallelism, homedir, hostname } from "node:os";
import { join } from "node:path";

/** What defaults depend on besides the configuration itself. */
export interface Host {
  readonly hostname: string;
  readonly cores: number;
  /** Whether standard output is a terminal. */
  readonly terminal: boolean;
  /** The folder of the user who runs the process. */
  readonly userHome: string;
}

/** This machine. */
export function thisHost(): Host {
  return {
    hostname: hostname(),
    cores: availableParallelism(),
    terminal: process.stdout.isTTY,
    userHome: homedir(),
  };
}

/** The folder of an instance, where nobody said another. */
export function defaultHome({ userHome }: Host): string {
  return join(userHome, ".taskyard");
}

/** Derived defaults by key, given the home folder that counts. */
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

/** A worker id made of a host name: other characters become dashes, at most 38 in all. */
function workerIdOf(name: string): string {
  const id = name.replaceAll(/[^a-zA-Z0-9_-]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return id.slice(0, 38) || "worker";
}
