// A command line's world that a test can look into: what was written, and a Ctrl-C at will.
import { once } from "node:events";
import { clearLine, cursorTo, moveCursor } from "node:readline";
import { PassThrough, Readable } from "node:stream";
import { main } from "../../src/cli/main.ts";
import type { Io, Output, StopSignal } from "../../src/cli/io.ts";

export interface CapturedIo extends Io {
  out(): string;
  err(): string;
  /** Settles when standard output (or error) holds the text. */
  until(text: string): Promise<void>;
  /** What the terminal does at Ctrl-C. */
  interrupt(signal?: StopSignal): void;
  /** The status of an immediate exit, if there was one. */
  readonly exited: number | undefined;
}

export interface CapturedIoOptions {
  readonly env?: Record<string, string | undefined>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** As if a person looked at it. */
  readonly terminal?: boolean;
}

export function capturedIo(options: CapturedIoOptions = {}): CapturedIo {
  const stdout = capture(options.terminal === true);
  const stderr = capture(options.terminal === true);
  const handlers = new Set<(signal: StopSignal) => void>();
  let exited: number | undefined;
  return {
    stdin: Readable.from([options.stdin ?? ""]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    // A home that does not exist: tests never meet the instance of the user who runs them.
    env: { TASKYARD_HOME: "/nonexistent/taskyard", ...options.env },
    cwd: options.cwd ?? process.cwd(),
    onStop(handler) {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
    exit: (status) => void (exited ??= status),
    out: stdout.text,
    err: stderr.text,
    async until(text) {
      while (!`${stdout.text()}${stderr.text()}`.includes(text)) {
        await Promise.race([once(stdout.stream, "data"), once(stderr.stream, "data")]);
      }
    },
    interrupt(signal = "SIGINT") {
      for (const handler of handlers) handler(signal);
    },
    get exited() {
      return exited;
    },
  };
}

function capture(isTTY: boolean): { stream: Output; text(): string } {
  const chunks: Buffer[] = [];
  const pass = new PassThrough();
  const stream = Object.assign(pass, {
    isTTY,
    // A terminal has these, and what moves about in it calls them.
    ...(isTTY && {
      cursorTo: (x: number) => cursorTo(pass, x),
      clearLine: (direction: -1 | 0 | 1) => clearLine(pass, direction),
      moveCursor: (x: number, y: number) => moveCursor(pass, x, y),
    }),
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

/** Runs a command in this process. */
export async function runCli(argv: readonly string[], options: CapturedIoOptions = {}) {
  const io = capturedIo(options);
  const status = await main(argv, io);
  // Streams hand on what they were given a turn later.
  await new Promise((resolve) => setImmediate(resolve));
  return { status, out: io.out(), err: io.err() };
}
