// Clients that create, claim and complete tasks without pause, and keep book of what the server acknowledged.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import { ClientError, type Client } from "../../src/client/index.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { taskDefinition } from "../support/factories.ts";
import { completedHistory, type History } from "./task-history.ts";

export interface LoadOptions {
  /** The server as it can be reached now: asked before each try, since a restarted one has another port. */
  readonly client: () => Client;
  /** Whether a failure is the outage that the test makes: then the call is repeated, else the load is broken. */
  readonly isOutage: (error: ClientError) => boolean;
}

/** The calls about one task that were answered with an outage, and so may have happened several times. */
type Call = "create" | "complete";
interface Entry {
  state: "created" | "completed";
  readonly failed: Record<Call, number>;
}

export interface Load {
  /** Tasks that were acknowledged as created, or more, by id. */
  readonly tasks: ReadonlyMap<string, Entry>;
  /** How many calls were answered with an outage so far. */
  outages(): number;
  /** How many tasks were acknowledged as completed so far. */
  completed(): number;
  /** Resolves when `holds`; rejects where the load broke or that takes longer than `ms`. */
  until(holds: () => boolean, ms?: number): Promise<void>;
  /** Creates no more; resolves when all that was created is completed. */
  finish(): Promise<void>;
}

const taskQueueId = "test/load";
const producers = 2;
const workers = 4;
// No call may hang, whatever happens to the database: in the tests, a long poll is answered within a second.
const answerMs = 10_000;

/** Starts it; it ends with `finish`, or with the test. */
export function startLoad({ client, isOutage }: LoadOptions): Load {
  const tasks = new Map<string, Entry>();
  let producing = true;
  let producersAtWork = producers;
  let outages = 0;
  let completed = 0;
  let broken: unknown;

  /** Calls until the server answers. `onOutage` is told of each try that failed. */
  async function persist<T>(attempt: (client: Client) => Promise<T>, onOutage = (): void => {}): Promise<T> {
    for (;;) {
      try {
        return await attempt(client());
      } catch (error) {
        if (!(error instanceof ClientError) || !isOutage(error)) throw error;
        outages++;
        onOutage();
        await sleep(20);
      }
      if (broken !== undefined) throw new Error("another client of the load broke", { cause: broken });
    }
  }

  async function produce(): Promise<void> {
    while (producing && broken === undefined) {
      const taskId = slugid();
      const definition = taskDefinition({ taskQueueId });
      const failed = { create: 0, complete: 0 };
      await persist(
        ({ queue }) => queue.createTask({ taskId }, definition, { timeoutMs: answerMs }),
        () => failed.create++,
      );
      tasks.set(taskId, { state: "created", failed });
    }
    producersAtWork--;
  }

  async function work(name: string): Promise<void> {
    while (broken === undefined && (producersAtWork > 0 || completed < tasks.size)) {
      // Repeated with the same id where no answer came, so that what was handed out is not lost.
      const request = { workerGroup: "load", workerId: name, tasks: 2, claimId: slugid() };
      const claims = await persist(({ queue }) =>
        queue.claimWork({ taskQueueId }, request, { timeoutMs: answerMs }),
      );
      for (const { status, runId, credentials } of claims.tasks) {
        const { taskId } = status;
        const failed = { complete: 0 };
        await persist(
          ({ queue }) =>
            queue.withCredentials(credentials).reportCompleted({ taskId, runId }, { timeoutMs: answerMs }),
          () => failed.complete++,
        );
        await until(() => tasks.has(taskId));
        const entry = tasks.get(taskId);
        if (entry === undefined) continue;
        entry.failed.complete = failed.complete;
        entry.state = "completed";
        completed++;
      }
    }
  }

  async function until(holds: () => boolean, ms = 20_000): Promise<void> {
    const deadline = performance.now() + ms;
    while (!holds()) {
      if (broken !== undefined) throw broken;
      if (performance.now() > deadline)
        throw new Error(
          `the load did not come there within ${ms} ms: ${tasks.size} created, ${completed} completed, ${outages} outages`,
        );
      await sleep(5);
    }
  }

  const all = [
    ...Array.from({ length: producers }, () => produce()),
    ...Array.from({ length: workers }, (_, i) => work(`worker-${i}`)),
  ].map((one) => one.catch((error: unknown) => (broken ??= error)));
  onTestFinished(() => void (broken ??= new Error("the test is over")));
  return {
    tasks,
    outages: () => outages,
    completed: () => completed,
    until,
    async finish() {
      producing = false;
      await until(() => producersAtWork === 0 && completed === tasks.size);
      await Promise.all(all);
      if (broken !== undefined) throw broken;
    },
  };
}

/**
 * That every task of the load has exactly the events of its transitions in the log, in order; and again only
 * those whose call failed and was repeated, as often as that at most.
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
