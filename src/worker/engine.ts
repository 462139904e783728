// The contract of an engine: how commands of a task are run. Each step consumes the one before it
// (builder → sandbox → results), so that nothing can be used in a phase where it means nothing.
import type { Readable } from "node:stream";
import type { Static, TObject } from "typebox";
import type { ExitInfo } from "./exit-info.ts";
import { checkedPart } from "./payload-part.ts";
import type { PayloadPart } from "./payload-part.ts";
import type { Range } from "./object-upload.ts";
import type { ErrorReason } from "./queue-client.ts";
import type { TaskContext } from "./task-context.ts";

/** A file that a task left behind, or the reason why there is none to be had. */
export type Extracted =
  | {
      readonly kind: "file";
      /** Path within what was asked for, with `/`; empty for a single file. */
      readonly path: string;
      /** Where the file really is, after links: two names of one file have the same identity. */
      readonly identity: string;
      readonly size: number;
      /** All of it, or some bytes. */
      open(range?: Range): Readable;
    }
  | {
      readonly kind: "error";
      readonly path: string;
      readonly reason: ErrorReason;
      readonly message: string;
    };

export interface ResultSet {
  readonly exits: readonly ExitInfo[];
  readonly success: boolean;
  extractFile(path: string): Promise<Extracted>;
  /** Everything below a folder, in the order of names. A folder that is missing yields one error. */
  extractFolder(path: string): AsyncIterable<Extracted>;
}

export interface Sandbox {
  /** Rejects with AbortedError after `abort`. Settles only when no process of the task is left. */
  readonly result: Promise<ResultSet>;
  /** Ends the commands at once. The result still comes, without success, so that artifacts can be saved. */
  kill(): Promise<void>;
  /** Ends the commands at once and gives up their result. */
  abort(error: Error): Promise<void>;
}

/** What plugins may do to a sandbox before it starts. */
export interface SandboxBuilderView {
  setEnv(name: string, value: string): void;
}

export interface SandboxBuilder extends SandboxBuilderView {
  start(): Promise<Sandbox>;
}

export interface Engine extends PayloadPart {
  newSandboxBuilder(task: TaskContext, payload: unknown): Promise<SandboxBuilder>;
  /** Ends what is left of a run whose worker died. */
  cleanUp(run: RunId): Promise<void>;
}

export interface RunId {
  readonly taskId: string;
  readonly runId: number;
}

/** An engine as it is written: with its own payload keys, typed. */
export interface EngineDefinition<S extends TObject> {
  readonly name: string;
  readonly payloadSchema: S;
  newSandboxBuilder(task: TaskContext, payload: Static<S>): Promise<SandboxBuilder>;
  cleanUp(run: RunId): Promise<void>;
}

export function defineEngine<S extends TObject>(definition: EngineDefinition<S>): Engine {
  const own = checkedPart(definition.payloadSchema);
  return {
    name: definition.name,
    payloadSchema: definition.payloadSchema,
    newSandboxBuilder: (task, payload) => definition.newSandboxBuilder(task, own(payload)),
    cleanUp: (run) => definition.cleanUp(run),
  };
}
