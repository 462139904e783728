// The input and output of a command, for tests: captures what it writes, and can send Ctrl-C.
import { once } from "node:events";
import { resolve } from "node:path";
import { clearLine, cursorTo, moveCursor } from "node:readline";
import { PassThrough, Readable } from "node:stream";
import { main } from "../../src/cli/main.ts";
import type { Io, Output, StopSignal } from "../../src/cli/io.ts";
import { systemClock, type Clock } from "../../src/lib/clock.ts";

export interface CapturedIo extends Io {
  out(): string;
  err(): string;
  /** Resolves when standard output or standard error contains the text. */
  until(text: string): Promise<void>;
  /** Delivers a stop signal, by default that of Ctrl-C. */
  interrupt(signal?: StopSignal): void;
  /** The status of an immediate exit, if any. */
  readonly exited: number | undefined;
}

export interface CapturedIoOptions {
  readonly env?: Record<string, string | undefined>;
  readonly cwd?: string;
  readonly programFolder?: string;
  readonly stdin?: string;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Whether the output is a terminal. */
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
    // A home that does not exist, so that tests never reach the instance of the user who runs them.
    env: { TASKYARD_HOME: "/nonexistent/taskyard", ...options.env },
    cwd: options.cwd ?? process.cwd(),
    programFolder: options.programFolder ?? resolve("bin"),
    clock: options.clock ?? systemClock,
    onStop(handler) {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
    onDrain: () => () => undefined,
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
    // The progress display calls these methods of a terminal.
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
  // Streams emit data one iteration of the event loop after the write.
  await new Promise((resolve) => setImmediate(resolve));
  return { status, out: io.out(), err: io.err() };
}
