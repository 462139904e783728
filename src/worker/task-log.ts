// The log of one run: a file that only grows, one writer's queue in front of it, and any number of readers, each at
// its own pace from any byte. A slow reader costs nothing but its own file handle; it never holds up the task.
import { open } from "node:fs/promises";
import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import type { Clock } from "../lib/clock.ts";
import { workerLine } from "./log-format.ts";

export interface ReadOptions {
  /** The byte to begin with; default 0. */
  readonly from?: number;
  /** Ends the reading early, also while it waits for more. */
  readonly signal?: AbortSignal;
}

export interface TaskLog {
  /** A message of the worker's; each line of it becomes one log line. */
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
  /** Takes the bytes of processes as they are. Its back-pressure is the disk's. Never emits an error. */
  readonly raw: Writable;
  readonly path: string;
  /** Bytes that readers can have now. */
  readonly byteLength: number;
  readonly closed: boolean;
  /** What went wrong with the file (a full disk); text after that is dropped. */
  readonly failure: Error | undefined;
  /** The bytes from `from` on, following the log until it is closed. */
  read(options?: ReadOptions): AsyncGenerator<Buffer, void, undefined>;
  /** Settles when the log has more than `bytes` (true), or has ended without, or `signal` has fired (false). */
  grownBeyond(bytes: number, signal: AbortSignal): Promise<boolean>;
  /** Writes out everything and ends all readers. May be called twice. */
  close(): Promise<void>;
}

const readSize = 64 * 1024;

/** Opens the log's file at `path`; it is created if it does not exist. */
export async function openTaskLog(path: string, clock: Clock): Promise<TaskLog> {
  const file = await open(path, "a", 0o600);
  let written = 0;
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
    if (failure !== undefined) return;
    const parts: Buffer[] = [];
    for (const chunk of chunks) {
      // Strings are lines of the worker's. One that would begin in the middle of a line of output begins a new one,
      // or viewers would miss its prefix.
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
    }
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

  /** Settles when there is more to read, when the log has ended, or when `signal` fires. */
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

  async function* read({ from = 0, signal }: ReadOptions = {}): AsyncGenerator<Buffer, void, undefined> {
    // A handle of the reader's own: it can finish even after the run's folder is gone.
    const reader = await open(path, "r");
    try {
      let at = from;
      while (!signal?.aborted) {
        if (at < written) {
          const length = Math.min(readSize, written - at);
          const { bytesRead, buffer } = await reader.read(Buffer.allocUnsafe(length), 0, length, at);
          // Fewer bytes than were written: somebody cut the file. There is nothing to wait for.
          if (bytesRead === 0) return;
          at += bytesRead;
          yield buffer.subarray(0, bytesRead);
        } else if (closed || failure !== undefined) {
          return;
        } else {
          await changed(signal);
        }
      }
    } finally {
      await reader.close();
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
    await file.close();
    closed = true;
    wake();
  }

  return {
    info: (text) => line("info", text),
    warn: (text) => line("warn", text),
    error: (text) => line("error", text),
    raw,
    path,
    get byteLength() {
      return written;
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
  };
}
