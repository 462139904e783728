// The contract of an engine, which runs the commands of a task. Each step consumes the one before it
// (builder → sandbox → results), so that nothing can be used in the wrong phase.
import type { Readable } from "node:stream";
import type { Static, TObject } from "typebox";
import type { ExitInfo } from "./exit-info.ts";
import { checkedPart } from "./payload-part.ts";
import type { CheckedTask, PayloadPart } from "./payload-part.ts";
import type { Range } from "../client/artifacts/upload-object.ts";
import type { ErrorReason } from "./queue-client.ts";
import type { TaskContext } from "./task-context.ts";

/** A file that a task created, or the reason why it cannot be read. */
export type Extracted =
  | {
      readonly kind: "file";
      /** Path relative to the requested folder, with `/`. Empty for a single file. */
      readonly path: string;
      /** The real path, after symbolic links: two names of one file have the same identity. */
      readonly identity: string;
      readonly size: number;
      /** Opens the whole file, or a range of it. The stream fails with UnreadableFileError if the file is no longer the same. */
      open(range?: Range): Readable;
    }
  | {
      readonly kind: "error";
      readonly path: string;
      readonly reason: ErrorReason;
      readonly message: string;
    }
  /** An entry of a folder that is not saved, for a reason that does not make the task fail. */
  | { readonly kind: "omitted"; readonly path: string; readonly message: string };

export interface ResultSet {
  readonly exits: readonly ExitInfo[];
  readonly success: boolean;
  extractFile(path: string): Promise<Extracted>;
  /** Yields all files below a folder, sorted by name. A missing folder yields one error. */
  extractFolder(path: string): AsyncIterable<Extracted>;
}

export interface Sandbox {
  /** Rejects with AbortedError after `abort`. Settles only when no process of the task is left. */
  readonly result: Promise<ResultSet>;
  /** Ends the commands immediately. `result` still resolves, without success, so that artifacts can be saved. */
  kill(): Promise<void>;
  /** Ends the commands immediately and discards their result. */
  abort(error: Error): Promise<void>;
}

/** The part of a sandbox builder that plugins may use. */
export interface SandboxBuilderView {
  setEnv(name: string, value: string): void;
}

export interface SandboxBuilder extends SandboxBuilderView {
  start(): Promise<Sandbox>;
}

export interface Engine extends PayloadPart {
  newSandboxBuilder(task: TaskContext, payload: unknown): Promise<SandboxBuilder>;
  /** Ends the processes of a run whose worker no longer exists. `folders` are those of the run. */
  cleanUp(run: RunId, folders: readonly string[]): Promise<void>;
}

export interface RunId {
  readonly taskId: string;
  readonly runId: number;
}

/** The definition of an engine, with the types of its own payload keys. */
export interface EngineDefinition<S extends TObject> {
  readonly name: string;
  readonly payloadSchema: S;
  faults(payload: Static<S>, task: CheckedTask): readonly string[];
  newSandboxBuilder(task: TaskContext, payload: Static<S>): Promise<SandboxBuilder>;
  cleanUp(run: RunId, folders: readonly string[]): Promise<void>;
}

export function defineEngine<S extends TObject>(definition: EngineDefinition<S>): Engine {
  const own = checkedPart(definition.payloadSchema);
  return {
    name: definition.name,
    payloadSchema: definition.payloadSchema,
    faults: (payload, task) => definition.faults(own(payload), task),
    newSandboxBuilder: (task, payload) => definition.newSandboxBuilder(task, own(payload)),
    cleanUp: (run, folders) => definition.cleanUp(run, folders),
  };
}
