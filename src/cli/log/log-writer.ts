// Writes a log to an output, with the worker's own lines dimmed, in color or left out.
import { once } from "node:events";
import type { Output } from "../io.ts";
import { terminalFilter } from "./terminal-filter.ts";
import type { Colors } from "../colors.ts";

export interface LogWriterOptions {
  readonly output: Output;
  readonly colors: Colors;
  /** Leaves the worker's lines out. */
  readonly quiet?: boolean;
}

export interface LogWriter {
  /** Resolves when the output can take more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Writes the bytes held back. */
  end(): Promise<void>;
}

const prefix = Buffer.from("[taskcluster");
const nextLine = Buffer.from("\n[taskcluster");
const newline = 0x0a;
const nothing = Buffer.alloc(0);
/** Matches the worker's own lines. */
export const workerLine = /^\[taskcluster(?::\w+)?(?: [^\]]+)?\] ?/;

/**
 * Creates a writer. The output of commands passes immediately, including incomplete lines: prompts and progress bars stay
 * live. Only the beginning of a line that may be the worker's is held back until that is decided.
 */
export function createLogWriter({ output, colors, quiet = false }: LogWriterOptions): LogWriter {
  let held: Buffer = nothing;
  let atLineStart = true;

  const filter = output.isTTY === true ? terminalFilter() : undefined;

  /** Writes bytes of the log. */
  async function put(bytes: Uint8Array): Promise<void> {
    await write(filter?.(bytes) ?? bytes);
  }
  async function write(text: string | Uint8Array): Promise<void> {
    if (text.length > 0 && !output.write(text) && !output.destroyed) await once(output, "drain");
  }
  /** Writes a complete line that starts like one of the worker's. */
  async function putLine(bytes: Buffer): Promise<void> {
    if (!workerLine.test(bytes.toString("utf8"))) return put(bytes);
    if (quiet) return;
    // Command lines in it are the task's.
    const line = (filter?.(bytes) ?? bytes).toString("utf8").replace(/\r?\n$/, "");
    const colored = line.startsWith("[taskcluster:error]") ? colors.red(line) : colors.dim(line);
    await write(colored + (bytes.at(-1) === newline ? "\n" : ""));
  }
  /** Returns the number of bytes before the next line that may be the worker's. `bytes` does not start with one. */
  function commandLength(bytes: Buffer): number {
    const next = bytes.indexOf(nextLine);
    if (next >= 0) return next + 1;
    const tail = bytes.lastIndexOf(newline) + 1;
    const mayBeNext = tail > 0 && tail < bytes.length && mayBeWorkerLine(bytes.subarray(tail));
    return mayBeNext ? tail : bytes.length;
  }

  return {
    async write(bytes) {
      let rest = Buffer.concat([held, bytes]);
      held = nothing;
      while (rest.length > 0) {
        const isWorkerLine = atLineStart && mayBeWorkerLine(rest);
        const end = isWorkerLine ? rest.indexOf(newline) + 1 : commandLength(rest);
        if (end === 0) {
          held = rest;
          return;
        }
        const part = rest.subarray(0, end);
        await (isWorkerLine ? putLine(part) : put(part));
        atLineStart = part.at(-1) === newline;
        rest = rest.subarray(end);
      }
    },
    async end() {
      const rest = held;
      held = nothing;
      if (rest.length > 0) await putLine(rest);
    },
  };
}

/** Reports whether the available part of a line matches the start of a worker's line. */
const mayBeWorkerLine = (line: Buffer): boolean =>
  prefix.subarray(0, line.length).equals(line.subarray(0, prefix.length));
