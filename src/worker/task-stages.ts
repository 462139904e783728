// The work on a run, from its payload to the verdict. Each stage depends on the one before, and the first failure decides.
import { withTimeout } from "../lib/retry.ts";
import type { Engine, ResultSet, Sandbox } from "./engine.ts";
import { goDuration } from "./log-format.ts";
import { AbortedError, MalformedPayloadError, ResourceUnavailableError, TaskFailedError } from "./outcome.ts";
import type { AbortCause, ExceptionReason } from "./outcome.ts";
import { applyRules } from "./payload-rules.ts";
import type { PayloadSchema } from "./payload-schema.ts";
import type { Plugin, TaskPlugin, Verdict } from "./plugin.ts";
import { isDiskFault, systemFault } from "../lib/system-fault.ts";
import type { TaskContext } from "./task-context.ts";

export type Stage =
  | "claimed"
  | "preparing"
  | "starting"
  | "running"
  | "stopping"
  | "resolving"
  | "reporting"
  | "disposing"
  | "done";

/** Why a run did not complete. The messages are for the author of the task. */
export interface Failure {
  readonly outcome: "failed" | ExceptionReason;
  readonly messages: readonly string[];
}

export interface Parts {
  readonly engine: Engine;
  /** In the order in which they start. */
  readonly plugins: readonly Plugin[];
  readonly payloads: PayloadSchema;
  /** Timeout of one hook, in ms. */
  readonly hookLimitMs: number;
}

interface Work extends Parts {
  /** The context for engine and plugins, still without the reserved artifact names. */
  readonly baseContext: TaskContext;
  readonly payload: unknown;
  enter(stage: Stage): void;
  /** Receives the hooks of each plugin as soon as they exist, so that they are always torn down. */
  readonly created: TaskPlugin[];
}

/** Runs all stages and returns the first failure. Never rejects. When it settles, no process of the task is left. */
export async function runStages(work: Work): Promise<Failure | undefined> {
  try {
    work.enter("preparing");
    const { context, payload } = await prepare(work);
    work.enter("starting");
    const sandbox = await start(work, context, payload);
    return await execute(work, context, sandbox);
  } catch (error) {
    return failureOf(error, work.baseContext);
  }
}

async function prepare(work: Work): Promise<{ context: TaskContext; payload: Record<string, unknown> }> {
  const { payloads, plugins, created } = work;
  const checked = payloads.check(work.payload);
  if (checked.ok) {
    const { payload } = checked;
    const { reservedArtifacts, faults } = applyRules(work.engine, plugins, payload, work.baseContext.info);
    const context = { ...work.baseContext, reservedArtifacts };
    const needed = faults.length === 0 ? plugins : plugins.filter(({ evenIfMalformed }) => evenIfMalformed);
    for (const plugin of needed) await create(work, context, plugin, payload, created);
    if (faults.length > 0) throw new MalformedPayloadError(faults);
    return { context, payload };
  }
  const { baseContext: context } = work;
  for (const plugin of plugins.filter(({ evenIfMalformed }) => evenIfMalformed)) {
    await create(work, context, plugin, payloads.salvage(plugin, work.payload), created);
  }
  context.log.info(JSON.stringify(payloads.json, null, 2));
  throw new MalformedPayloadError([
    "TASK FAIL since the task payload is invalid. See errors:",
    ...checked.errors.map((error) => `- ${error}`),
  ]);
}

async function create(
  work: Work,
  context: TaskContext,
  plugin: Plugin,
  payload: unknown,
  created: TaskPlugin[],
): Promise<void> {
  // Added by the hook itself, so that hooks that exist only after the timeout are torn down, too.
  const newTask = async (): Promise<void> => void created.push(await plugin.newTask(context, payload));
  await hook(work, context, `${plugin.name}.newTask`, newTask);
}

async function start(work: Work, context: TaskContext, payload: unknown): Promise<Sandbox> {
  const { engine, created } = work;
  const builder = await hook(work, context, `${engine.name}.newSandboxBuilder`, async () =>
    engine.newSandboxBuilder(context, payload),
  );
  for (const plugin of created) await hook(work, context, "build", async () => plugin.build?.(builder));
  return await builder.start();
}

async function execute(work: Work, context: TaskContext, sandbox: Sandbox): Promise<Failure | undefined> {
  const { log, signal, clock } = context;
  const abort = (): void => void sandbox.abort(reasonOf(signal));
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  const startedAt = clock.now();
  let results: ResultSet;
  try {
    work.enter("running");
    for (const plugin of work.created)
      await hook(work, context, "started", async () => plugin.started?.(sandbox));
    results = await sandbox.result;
  } catch (error) {
    await sandbox.abort(error instanceof Error ? error : new Error(String(error)));
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    log.info(`=== Task Finished ===\nTask Duration: ${goDuration(clock.now() - startedAt)}`);
  }

  work.enter("stopping");
  let first: Failure | undefined;
  for (const plugin of work.created.toReversed()) {
    try {
      const verdict = await hook(work, context, "stopped", async () => plugin.stopped?.(results));
      first ??= verdict === undefined ? undefined : failureOfVerdict(verdict);
    } catch (error) {
      first ??= failureOf(error, context);
    }
  }
  return first;
}

function failureOfVerdict(verdict: Verdict): Failure | undefined {
  return verdict.ok ? undefined : { outcome: verdict.outcome, messages: [verdict.message] };
}

/** Calls a hook with a timeout, and only until the run is stopped. */
async function hook<T>(
  work: Work,
  { clock, signal }: TaskContext,
  what: string,
  call: () => Promise<T>,
): Promise<T> {
  return await withTimeout({ clock, signal, ms: work.hookLimitMs, what }, call);
}

/** Converts an error to a failure. An unexpected error is logged, and the author of the task gets its incident id. */
export function failureOf(
  error: unknown,
  { signal, monitor }: Pick<TaskContext, "signal" | "monitor">,
): Failure {
  // Errors after the run was stopped are consequences of the stop.
  const cause = signal.aborted ? reasonOf(signal) : error;
  if (cause instanceof AbortedError)
    return { outcome: "worker-shutdown", messages: [abortText[cause.abort]] };
  if (error instanceof MalformedPayloadError)
    return { outcome: "malformed-payload", messages: error.messages };
  if (error instanceof TaskFailedError) return { outcome: "failed", messages: [error.message] };
  if (error instanceof ResourceUnavailableError) {
    monitor.warn(error.message, { err: error });
    return { outcome: "resource-unavailable", messages: [error.message] };
  }
  if (isDiskFault(error)) {
    const message = `The disk of the worker cannot be written to: ${systemFault(error)}. This is no fault of the task.`;
    monitor.warn(message, { err: error });
    return { outcome: "resource-unavailable", messages: [message] };
  }
  const incidentId = monitor.reportError(error);
  return {
    outcome: "internal-error",
    messages: [`Internal error of the worker. Quote this id to its operator: incident ${incidentId}`],
  };
}

const abortText: Readonly<Record<AbortCause, string>> = {
  canceled: "The task was canceled.",
  deadline: "The task's deadline has passed.",
  "claim-lost": "The worker has lost its claim on the task.",
  "worker-shutdown": "The worker is shutting down. The queue runs the task again if it has retries left.",
};

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}
