// The world that commands act in: streams, environment, folder and signals. Given as an argument, so that nothing but
// this file knows the process.
import type { Readable, Writable } from "node:stream";

/** A stream for people or machines; `isTTY` where a person looks. */
export interface Output extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type StopSignal = "SIGINT" | "SIGTERM";

export interface Io {
  readonly stdin: Readable;
  /** Results. */
  readonly stdout: Output;
  /** Progress, remarks, errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Calls `handler` when the user (Ctrl-C) or the system asks to stop, until the returned function is called. */
  onStop(handler: (signal: StopSignal) => void): () => void;
  /** Ends the process at once, whatever is going on. */
  exit(status: number): void;
}

/** This process. */
export function processIo(): Io {
  for (const stream of [process.stdout, process.stderr]) {
    // The reader of a pipe has had enough (`taskyard task log … | head`). Nobody is left to be told.
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

/** Writes a line. */
export const writeLine = (output: Output, text = ""): void => void output.write(`${text}\n`);

/** Writes a value as JSON for programs, indented for whoever looks at it all the same. */
export const writeJson = (output: Output, value: unknown): void =>
  writeLine(output, JSON.stringify(value, null, 2));

/** Writes lines. */
export const writeLines = (output: Output, lines: readonly string[]): void =>
  void output.write(lines.map((line) => `${line}\n`).join(""));
