// Clients that create, claim and complete tasks without pause, and record what the server acknowledged.
import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import { ClientError, type Client } from "../../src/client/index.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { taskDefinition } from "../support/factories.ts";
import { completedHistory, type History } from "./task-history.ts";

export interface LoadOptions {
  /** Returns a client of the current server. Called before each attempt, since a restarted server has another port. */
  readonly client: () => Client;
  /** Reports whether an error is due to the test's outage: then the call is retried. Other errors fail the load. */
  readonly isOutage: (error: ClientError) => boolean;
}

/** Calls that are retried after an outage, and may therefore take effect several times. */
type Call = "create" | "complete";
interface Entry {
  state: "created" | "completed";
  /** Number of failed attempts. */
  readonly failed: Record<Call, number>;
}

export interface Load {
  /** Tasks whose creation was acknowledged, by id. */
  readonly tasks: ReadonlyMap<string, Entry>;
  /** Returns the number of calls that failed because of an outage. */
  outages(): number;
  /** Returns the number of tasks whose completion was acknowledged. */
  completed(): number;
  /** Waits until the condition holds. Rejects if the load fails, or after `ms`. */
  until(condition: () => boolean, ms?: number): Promise<void>;
  /** Stops creating tasks. Resolves when all created tasks are completed. */
  finish(): Promise<void>;
}

const taskQueueId = "test/load";
const producers = 2;
const workers = 4;
// No call may hang, whatever happens to the database. In these tests a long poll lasts at most a second.
const callTimeoutMs = 10_000;

/** Starts the load. It ends with `finish`, or with the test. */
export function startLoad({ client, isOutage }: LoadOptions): Load {
  const tasks = new Map<string, Entry>();
  let producing = true;
  let activeProducers = producers;
  let outages = 0;
  let completed = 0;
  let failure: unknown;
  /** Emits `change` after each change of what the conditions of `until` read. */
  const state = new EventEmitter().setMaxListeners(0);
  const changed = (): void => void state.emit("change");
  const fail = (error: unknown): void => {
    failure ??= error;
    changed();
  };

  /** Retries a call during outages. Calls `onOutage` after each failed attempt. */
  async function retryOutages<T>(
    attempt: (client: Client) => Promise<T>,
    onOutage = (): void => {},
  ): Promise<T> {
    for (;;) {
      try {
        return await attempt(client());
      } catch (error) {
        if (!(error instanceof ClientError) || !isOutage(error)) throw error;
        outages++;
        changed();
        onOutage();
        // Faster retries by the six clients would take the CPU time that the restart needs.
        await sleep(100);
      }
      if (failure !== undefined) throw new Error("another client of the load failed", { cause: failure });
    }
  }

  async function produce(): Promise<void> {
    while (producing && failure === undefined) {
      const taskId = slugid();
      const definition = taskDefinition({ taskQueueId });
      const failed = { create: 0, complete: 0 };
      await retryOutages(
        ({ queue }) => queue.createTask({ taskId }, definition, { timeoutMs: callTimeoutMs }),
        () => failed.create++,
      );
      tasks.set(taskId, { state: "created", failed });
      changed();
    }
    activeProducers--;
    changed();
  }

  async function work(name: string): Promise<void> {
    while (failure === undefined && (activeProducers > 0 || completed < tasks.size)) {
      // Retried with the same claim id, so that claims are not lost with the reply.
      const request = { workerGroup: "load", workerId: name, tasks: 2, claimId: slugid() };
      const claims = await retryOutages(({ queue }) =>
        queue.claimWork({ taskQueueId }, request, { timeoutMs: callTimeoutMs }),
      );
      for (const { status, runId, credentials } of claims.tasks) {
        const { taskId } = status;
        const failed = { complete: 0 };
        await retryOutages(
          ({ queue }) =>
            queue
              .withCredentials(credentials)
              .reportCompleted({ taskId, runId }, { timeoutMs: callTimeoutMs }),
          () => failed.complete++,
        );
        await until(() => tasks.has(taskId));
        const entry = tasks.get(taskId);
        if (entry === undefined) continue;
        entry.failed.complete = failed.complete;
        entry.state = "completed";
        completed++;
        changed();
      }
    }
  }

  async function until(condition: () => boolean, ms = 20_000): Promise<void> {
    const signal = AbortSignal.timeout(ms);
    while (!condition()) {
      if (failure !== undefined) throw failure;
      await once(state, "change", { signal }).catch((cause: unknown) => {
        const counts = `${tasks.size} created, ${completed} completed, ${outages} outages`;
        throw new Error(`the condition did not hold within ${ms} ms: ${counts}`, { cause });
      });
    }
  }

  const all = [
    ...Array.from({ length: producers }, () => produce()),
    ...Array.from({ length: workers }, (_, i) => work(`worker-${i}`)),
  ].map((one) => one.catch(fail));
  onTestFinished(() => fail(new Error("the test is over")));
  return {
    tasks,
    outages: () => outages,
    completed: () => completed,
    until,
    async finish() {
      producing = false;
      await until(() => activeProducers === 0 && completed === tasks.size);
      await Promise.all(all);
      if (failure !== undefined) throw failure;
    },
  };
}

/**
 * Expects that every task of the load has exactly the events of its transitions in the log, in order. Only the events of
 * calls that were retried may occur again, at most once per retry.
 */
export function expectWholeHistories(load: Load, histories: ReadonlyMap<string, History>): void {
  for (const [taskId, { failed }] of load.tasks) {
    const history = histories.get(taskId) ?? [];
    expect([...new Set(history)], `the events of ${taskId}`).toEqual(completedHistory);
    const repeats: Readonly<Record<string, number>> = {
      "task-defined": failed.create,
      "task-pending 0": failed.create,
      "task-completed 0": failed.complete,
    };
    for (const event of completedHistory) {
      const count = history.filter((one) => one === event).length;
      expect(count, `${event} of ${taskId}`).toBeLessThanOrEqual(1 + (repeats[event] ?? 0));
    }
  }
}
