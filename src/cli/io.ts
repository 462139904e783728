// The environment of a command: streams, variables, folder and signals. Passed as an argument, so that this is the only
// file of the command line that uses the process.
import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import type { Readable, Writable } from "node:stream";
import { systemClock, type Clock } from "../lib/clock.ts";
import { endProcess } from "../lib/end-process.ts";
import { exitStatus } from "./cli-error.ts";

/** An output stream. `isTTY` is set if it is a terminal. */
export interface Output extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Why a command has to stop. SIGPIPE: an output cannot be written any more, usually because its reader has ended. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGPIPE";

export interface Io {
  readonly stdin: Readable;
  /** For results. */
  readonly stdout: Output;
  /** For progress, notices and errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The folder of the executable `taskyard`. */
  readonly programFolder: string;
  /** For what a command reports while it waits. */
  readonly clock: Clock;
  /** Calls `handler` on Ctrl-C and the other stop signals, until the returned function is called. */
  onStop(handler: (signal: StopSignal) => void): () => void;
  /** Calls `handler` on SIGUSR2, the signal that drains a worker, until the returned function is called. */
  onDrain(handler: () => void): () => void;
  /** Exits immediately. */
  exit(status: number): void;
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Returns the environment of this process. */
export function processIo(): Io {
  const handlers = new Set<(signal: StopSignal) => void>();
  let isBroken = false;
  // Node ignores SIGPIPE, and reports EPIPE for each later write. Without this, `taskyard run … | head -1` would end with
  // status 0 and leave its task running.
  const onBroken = (other: Output) => (error: NodeJS.ErrnoException) => {
    if (isBroken) return;
    isBroken = true;
    const isClosed = error.code === "EPIPE";
    if (!isClosed) writeLine(other, `error: the output cannot be written: ${error.message}`);
    if (handlers.size === 0) endProcess(isClosed ? exitStatus.SIGPIPE : exitStatus.failure);
    for (const handler of handlers) handler("SIGPIPE");
  };
  process.stdout.on("error", onBroken(process.stderr));
  process.stderr.on("error", onBroken(process.stdout));
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    // The command is often started through a link: npm creates one for each installed package.
    programFolder: dirname(realpathSync(process.argv[1] ?? process.execPath)),
    clock: systemClock,
    onStop(handler) {
      handlers.add(handler);
      for (const signal of signals) process.on(signal, handler);
      return () => {
        handlers.delete(handler);
        for (const signal of signals) process.off(signal, handler);
      };
    },
    onDrain(handler) {
      // Not SIGUSR1, with which Node starts its debugger.
      process.on("SIGUSR2", handler);
      return () => void process.off("SIGUSR2", handler);
    },
    exit: endProcess,
  };
}

export const writeLine = (output: Output, text = ""): void => void output.write(`${text}\n`);

/** Writes a value as indented JSON. */
export const writeJson = (output: Output, value: unknown): void =>
  writeLine(output, JSON.stringify(value, null, 2));

export const writeLines = (output: Output, lines: readonly string[]): void =>
  void output.write(lines.map((line) => `${line}\n`).join(""));
