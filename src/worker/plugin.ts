// The contract of a plugin, which adds a feature around the commands of a task. Plugins form one ordered list: `build` and
// `started` run in its order, `stopped`, `resolving` and `dispose` in reverse, and hooks of one run are never concurrent.
import type { Static, TObject } from "typebox";
import type { ResultSet, Sandbox, SandboxBuilderView } from "./engine.ts";
import type { ExceptionReason, Resolution } from "./outcome.ts";
import { checkedPart } from "./payload-part.ts";
import type { CheckedTask, PayloadPart } from "./payload-part.ts";
import type { TaskContext } from "./task-context.ts";
import type { TaskDefinition } from "../api/queue/task.ts";

/** A plugin's verdict on a run whose commands have ended. The first verdict that is not ok decides. */
export type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly outcome: "failed" | ExceptionReason; readonly message: string };

/** A plugin's hooks for one run, all optional. */
export interface TaskPlugin {
  /** Prepares the sandbox. May throw MalformedPayloadError. */
  build?(builder: SandboxBuilderView): Promise<void>;
  /** Called when the commands are running. */
  started?(sandbox: Pick<Sandbox, "kill">): Promise<void>;
  /** Called when the commands have ended and no process is left. Saves files and returns a verdict. */
  stopped?(results: ResultSet): Promise<Verdict>;
  /**
   * Called when the log is closed, before the report to the queue. `signal` aborts when there is no more time for uploads.
   * It is aborted from the start for a run that has lost its claim, since another worker may be running the task.
   * `messages` are the errors that ended the run, as in the log.
   */
  resolving?(resolution: Resolution, signal: AbortSignal, messages: readonly string[]): Promise<void>;
  /** Always called, last. */
  dispose?(): Promise<void>;
}

export interface Plugin extends PayloadPart {
  /**
   * True for a plugin that is also used with a malformed payload, for example to save the log. It gets its own keys if they
   * are valid, else their defaults.
   */
  readonly evenIfMalformed: boolean;
  /** Returns the names of artifacts that the plugin creates, which the payload must not use. */
  reservedArtifacts(payload: unknown, definition: Pick<TaskDefinition, "extra">): readonly string[];
  newTask(task: TaskContext, payload: unknown): Promise<TaskPlugin>;
}

/** The definition of a plugin, with the types of its own payload keys. */
export interface PluginDefinition<S extends TObject> {
  readonly name: string;
  readonly payloadSchema: S;
  readonly evenIfMalformed?: boolean;
  faults?(payload: Static<S>, task: CheckedTask): readonly string[];
  reservedArtifacts?(payload: Static<S>, definition: Pick<TaskDefinition, "extra">): readonly string[];
  newTask(task: TaskContext, payload: Static<S>): Promise<TaskPlugin>;
}

export function definePlugin<S extends TObject>(definition: PluginDefinition<S>): Plugin {
  const own = checkedPart(definition.payloadSchema);
  return {
    name: definition.name,
    payloadSchema: definition.payloadSchema,
    evenIfMalformed: definition.evenIfMalformed ?? false,
    faults: (payload, task) => definition.faults?.(own(payload), task) ?? [],
    reservedArtifacts: (payload, task) => definition.reservedArtifacts?.(own(payload), task) ?? [],
    newTask: (task, payload) => definition.newTask(task, own(payload)),
  };
}
