// The contract of a plugin: what is added around the running of a task. Plugins form one ordered list; `build`
// and `started` run in its order, `stopped`, `resolving` and `dispose` in reverse, and no two hooks at once.
import type { Static, TObject } from "typebox";
import type { ResultSet, Sandbox, SandboxBuilderView } from "./engine.ts";
import type { ExceptionReason, Resolution } from "./outcome.ts";
import { checkedPart } from "./payload-part.ts";
import type { PayloadPart } from "./payload-part.ts";
import type { TaskContext } from "./task-context.ts";
import type { TaskDefinition } from "../api/queue/task.ts";

/** A plugin's judgement of a finished run. The first one of the list that is not ok decides. */
export type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly outcome: "failed" | ExceptionReason; readonly message: string };

/** A plugin's part in one run. Every hook may be left out. */
export interface TaskPlugin {
  /** Prepares the sandbox. May throw MalformedPayloadError. */
  build?(builder: SandboxBuilderView): Promise<void>;
  /** The commands run. */
  started?(sandbox: Pick<Sandbox, "kill">): Promise<void>;
  /** The commands have ended and no process is left: save what they made, and judge. */
  stopped?(results: ResultSet): Promise<Verdict>;
  /**
   * The log is closed and the queue not yet told. `signal` fires when there is no more time to upload, or no more right;
   * a run that has lost its claim, which somebody else may be repeating, has none from the beginning. `messages` are the
   * errors that ended the run, as in the log.
   */
  resolving?(resolution: Resolution, signal: AbortSignal, messages: readonly string[]): Promise<void>;
  /** Always called, last. */
  dispose?(): Promise<void>;
}

export interface Plugin extends PayloadPart {
  /**
   * True for a plugin that works for a malformed payload too (somebody has to save the log). It gets its own keys
   * where they are sound, else their defaults.
   */
  readonly evenIfMalformed: boolean;
  /** Artifact names that the plugin writes itself, which the task must not use. */
  reservedArtifacts(payload: unknown, definition: TaskDefinition): readonly string[];
  newTask(task: TaskContext, payload: unknown): Promise<TaskPlugin>;
}

/** A plugin as it is written: with its own payload keys, typed. */
export interface PluginDefinition<S extends TObject> {
  readonly name: string;
  readonly payloadSchema: S;
  readonly evenIfMalformed?: boolean;
  reservedArtifacts?(payload: Static<S>, definition: TaskDefinition): readonly string[];
  newTask(task: TaskContext, payload: Static<S>): Promise<TaskPlugin>;
}

export function definePlugin<S extends TObject>(definition: PluginDefinition<S>): Plugin {
  const own = checkedPart(definition.payloadSchema);
  return {
    name: definition.name,
    payloadSchema: definition.payloadSchema,
    evenIfMalformed: definition.evenIfMalformed ?? false,
    reservedArtifacts: (payload, task) => definition.reservedArtifacts?.(own(payload), task) ?? [],
    newTask: (task, payload) => definition.newTask(task, own(payload)),
  };
}
