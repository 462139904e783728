// The log of one run: an append-only file, written through one stream and followed by any number of readers, each at its own
// pace and from any byte. A slow reader never delays the task.
//
// All of them use the one handle that was opened before the task ran. The task can replace the file at the path, by a link
// to another file or by a named pipe, which would block a thread of the worker forever when it is opened.
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import type { Clock } from "../lib/clock.ts";
import { workerLine } from "./log-format.ts";
import { systemFault } from "../lib/system-fault.ts";
import { InternalError } from "../lib/internal-error.ts";

export interface ReadOptions {
  /** The first byte to read. Default: 0. */
  readonly from?: number | undefined;
  /** The last byte to read. Default: the last one of the log. */
  readonly to?: number | undefined;
  /** Ends the reading early, also while it waits for more bytes. */
  readonly signal?: AbortSignal;
}

export interface TaskLog {
  /** Writes a message of the worker. Each of its lines becomes one log line. */
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
  /** Takes the output of processes unchanged, with the backpressure of the disk. Never emits an error. */
  readonly raw: Writable;
  readonly path: string;
  /** The number of bytes that can be read now. */
  readonly byteLength: number;
  readonly closed: boolean;
  /** The first error of the file, such as a full disk. Output of processes after it is dropped, messages of the worker are not. */
  readonly failure: Error | undefined;
  /** Yields the bytes from `from` on, following the log until it is closed. */
  read(options?: ReadOptions): AsyncGenerator<Buffer, void, undefined>;
  /** Resolves to true when the log has more than `bytes` bytes, and to false when it ends before or `signal` aborts. */
  grownBeyond(bytes: number, signal: AbortSignal): Promise<boolean>;
  /** Writes all buffered text and ends all readers. The log can still be read. Idempotent. */
  close(): Promise<void>;
  /** Closes the log, and its file when the last reader has ended. Idempotent. */
  dispose(): Promise<void>;
}

const readSize = 64 * 1024;
// How much is kept in memory when the file cannot be written any more.
const maxTailBytes = 64 * 1024;

/** Opens the log file at `path`. Creates it if it does not exist. */
export async function openTaskLog(path: string, clock: Clock): Promise<TaskLog> {
  const file = await open(path, "a+", 0o600);
  /** The users of the file: the readers, and the owner of the log until `dispose`. */
  let users = 1;
  const leave = async (): Promise<void> => {
    if (--users === 0) await file.close();
  };
  let written = 0;
  /** The messages of the worker after an error of the file: without them, nobody would learn of it. */
  let tail = Buffer.alloc(0);
  let endsInNewline = true;
  let closed = false;
  let failure: Error | undefined;
  const waiting = new Set<() => void>();
  const wake = (): void => {
    const all = [...waiting];
    waiting.clear();
    for (const resume of all) resume();
  };

  async function append(chunks: readonly (Buffer | string)[]): Promise<void> {
    if (failure !== undefined) return keep(chunks);
    const parts: Buffer[] = [];
    for (const chunk of chunks) {
      // Strings are lines of the worker. In the middle of a line of output they start a new line, since viewers would
      // miss their prefix otherwise.
      const part =
        typeof chunk === "string" ? Buffer.from(endsInNewline ? chunk : `\n${chunk}`, "utf8") : chunk;
      if (part.length === 0) continue;
      parts.push(part);
      endsInNewline = part[part.length - 1] === 0x0a;
    }
    const bytes = Buffer.concat(parts);
    try {
      await file.appendFile(bytes);
      written += bytes.length;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      const text =
        `The log cannot be written to the worker's folder ${dirname(path)}: ${systemFault(error)}. ` +
        "The output of commands from here on is lost.";
      keep([`\n${workerLine("error", text, clock.now())}`, ...chunks]);
    }
    wake();
  }

  function keep(chunks: readonly (Buffer | string)[]): void {
    const lines = chunks.filter((chunk) => typeof chunk === "string").map((line) => Buffer.from(line));
    tail = Buffer.concat([tail, ...lines]).subarray(0, maxTailBytes);
    wake();
  }

  const raw = new Writable({
    decodeStrings: false,
    highWaterMark: 1024 * 1024,
    write: (chunk: Buffer | string, _encoding, done) => void append([chunk]).then(() => done()),
    writev: (chunks: { chunk: Buffer | string }[], done) =>
      void append(chunks.map(({ chunk }) => chunk)).then(() => done()),
  });
  const line = (level: "info" | "warn" | "error", text: string): void => {
    if (!raw.writableEnded) raw.write(workerLine(level, text, clock.now()));
  };

  /** Resolves when there is more to read, when the log has ended, or when `signal` aborts. */
  function changed(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const resume = (): void => {
        waiting.delete(resume);
        signal?.removeEventListener("abort", resume);
        resolve();
      };
      waiting.add(resume);
      signal?.addEventListener("abort", resume);
    });
  }

  async function* read(options: ReadOptions = {}): AsyncGenerator<Buffer, void, undefined> {
    const { from = 0, to = Infinity, signal } = options;
    if (users === 0) throw new InternalError("the log of the task is no longer kept by the worker");
    users++;
    try {
      let at = from;
      while (!signal?.aborted && at <= to) {
        if (at < written) {
          const length = Math.min(readSize, written - at, to - at + 1);
          const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
          // Fewer bytes than were written: the file was truncated by another process. There is nothing to wait for.
          if (bytesRead === 0) return;
          at += bytesRead;
          yield buffer.subarray(0, bytesRead);
        } else if (at < written + tail.length) {
          const rest = tail.subarray(at - written, to - written + 1);
          at += rest.length;
          yield rest;
        } else if (closed) {
          return;
        } else {
          await changed(signal);
        }
      }
    } finally {
      await leave();
    }
  }

  async function grownBeyond(bytes: number, signal: AbortSignal): Promise<boolean> {
    while (written <= bytes && !closed && failure === undefined && !signal.aborted) await changed(signal);
    return written > bytes;
  }

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    raw.end();
    await finished(raw);
    closed = true;
    wake();
  }

  let disposing: Promise<void> | undefined;
  async function dispose(): Promise<void> {
    await (closing ??= close());
    await leave();
  }

  return {
    info: (text) => line("info", text),
    warn: (text) => line("warn", text),
    error: (text) => line("error", text),
    raw,
    path,
    get byteLength() {
      return written + tail.length;
    },
    get closed() {
      return closed;
    },
    get failure() {
      return failure;
    },
    read,
    grownBeyond,
    close: () => (closing ??= close()),
    dispose: () => (disposing ??= dispose()),
  };
}
