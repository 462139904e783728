// The environment of a command: streams, variables, folder and signals. Passed as an argument, so that this is the only
// file of the command line that uses the process.
import type { Readable, Writable } from "node:stream";

/** An output stream. `isTTY` is set if it is a terminal. */
export interface Output extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type StopSignal = "SIGINT" | "SIGTERM";

export interface Io {
  readonly stdin: Readable;
  /** For results. */
  readonly stdout: Output;
  /** For progress, notices and errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Calls `handler` on Ctrl-C and SIGTERM, until the returned function is called. */
  onStop(handler: (signal: StopSignal) => void): () => void;
  /** Exits immediately. */
  exit(status: number): void;
}

/** Returns the environment of this process. */
export function processIo(): Io {
  for (const stream of [process.stdout, process.stderr]) {
    // The reader closed the pipe (`taskyard task log … | head`): there is nobody left to report to.
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(0);
    });
  }
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    onStop(handler) {
      process.on("SIGINT", handler).on("SIGTERM", handler);
      return () => void process.off("SIGINT", handler).off("SIGTERM", handler);
    },
    exit: (status) => process.exit(status),
  };
}

export const writeLine = (output: Output, text = ""): void => void output.write(`${text}\n`);

/** Writes a value as indented JSON. */
export const writeJson = (output: Output, value: unknown): void =>
  writeLine(output, JSON.stringify(value, null, 2));

export const writeLines = (output: Output, lines: readonly string[]): void =>
  void output.write(lines.map((line) => `${line}\n`).join(""));
