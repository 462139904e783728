// Writes a log to the terminal: the worker's own lines apart from what the commands say.
import { once } from "node:events";
import type { Output } from "../io.ts";
import type { Colors } from "../colors.ts";

export interface LogWriterOptions {
  readonly output: Output;
  readonly colors: Colors;
  /** Leave the worker's lines out. */
  readonly quiet?: boolean;
}

export interface LogWriter {
  /** Settles when the output can take more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Writes out what was held back. */
  end(): Promise<void>;
}

const prefix = Buffer.from("[taskcluster");
const nextLine = Buffer.from("\n[taskcluster");
const newline = 0x0a;
const nothing = Buffer.alloc(0);
const workerLine = /^\[taskcluster(?::\w+)?(?: [^\]]+)?\] ?/;

/**
 * Commands' output goes through as it comes, unfinished lines included: prompts and progress bars are live as well. Only
 * a line that may yet turn out to be the worker's is held back, until it does.
 */
export function createLogWriter({ output, colors, quiet = false }: LogWriterOptions): LogWriter {
  let held: Buffer = nothing;
  let atLineStart = true;

  async function put(text: string | Uint8Array): Promise<void> {
    if (text.length > 0 && !output.write(text) && !output.destroyed) await once(output, "drain");
  }
  /** Writes a whole line that begins like one of the worker's. */
  async function putLine(bytes: Buffer): Promise<void> {
    const line = bytes.toString("utf8").replace(/\r?\n$/, "");
    if (!workerLine.test(line)) return put(bytes);
    if (quiet) return;
    const painted = line.startsWith("[taskcluster:error]") ? colors.red(line) : colors.dim(line);
    await put(painted + (bytes.at(-1) === newline ? "\n" : ""));
  }
  /** How much of `bytes`, which do not begin a line of the worker's, comes before what may be one. */
  function ownLength(bytes: Buffer): number {
    const next = bytes.indexOf(nextLine);
    if (next >= 0) return next + 1;
    const tail = bytes.lastIndexOf(newline) + 1;
    const mayBeNext = tail > 0 && tail < bytes.length && beginsLikeWorkers(bytes.subarray(tail));
    return mayBeNext ? tail : bytes.length;
  }

  return {
    async write(bytes) {
      let rest = Buffer.concat([held, bytes]);
      held = nothing;
      while (rest.length > 0) {
        const theirs = atLineStart && beginsLikeWorkers(rest);
        const end = theirs ? rest.indexOf(newline) + 1 : ownLength(rest);
        if (end === 0) {
          held = rest;
          return;
        }
        const part = rest.subarray(0, end);
        await (theirs ? putLine(part) : put(part));
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

/** Whether a line begins like the worker's, as far as it is there. */
const beginsLikeWorkers = (line: Buffer): boolean =>
  prefix.subarray(0, line.length).equals(line.subarray(0, prefix.length));
