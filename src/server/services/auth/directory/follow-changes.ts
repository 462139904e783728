// Keeps the view up to date: reads the events of clients and roles, then the rows that they name.
import { backoffDelay } from "../../../../lib/backoff.ts";
import { systemClock, type Clock } from "../../../../lib/clock.ts";
import { createAsyncEvent } from "../../../core/async-event.ts";
import {
  UnusablePosition,
  type EventLog,
  type LoggedEvent,
  type Position,
} from "../../../core/event-log/index.ts";
import type { Monitor } from "../../../core/monitor.ts";
import { reportFailure } from "../../../core/outage.ts";
import type { WakeUps } from "../../../core/wake-ups.ts";
import { directoryEvents, directoryTopic } from "../sql/directory-events.ts";
import type { DirectoryView } from "./view.ts";

export interface ChangeFollower {
  /** Resolves when the view has everything that was committed before the call. Rejects if the database is unavailable. */
  refreshed(): Promise<void>;
  /** How old the view is, in milliseconds: changes that were committed before that are in it. */
  age(): number;
  /** Loads the view, then follows changes. Rejects if it cannot be loaded. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface FollowerOptions {
  readonly view: Pick<DirectoryView, "load" | "reload">;
  readonly events: Pick<EventLog, "positionNow" | "read">;
  readonly wakeUps: Pick<WakeUps, "subscribe">;
  readonly monitor: Monitor;
  /** Default: the machine's clock, also where a test controls the time of day. */
  readonly timer?: Pick<Clock, "after" | "now">;
  /** Returns milliseconds since any moment. Default: the monotonic clock, so that a step of the date makes no view old. */
  readonly monotonic?: () => number;
}

// Wake-ups arrive within milliseconds, but a process that is killed between its commit and its NOTIFY sends none, and a
// change must apply within a second. Reading also proves that nothing has changed: without it, an idle view would look as old
// as one that is cut off. Not a follower of the whole log, which would read and parse the events of all tasks: a read through
// the index of these events costs the database 0.3 ms.
const pollMs = 500;
const pageSize = 1_000;
const outage = { baseMs: 100, maxMs: 2_000, jitter: 0.25 };

export function createChangeFollower(options: FollowerOptions): ChangeFollower {
  const {
    view,
    events,
    wakeUps,
    monitor,
    timer = systemClock,
    monotonic = () => performance.now(),
  } = options;
  /** Undefined if the view must be loaded whole. */
  let position: Position | undefined;
  let seen = -Infinity;
  let reading: Promise<void> = Promise.resolve();
  /** A read that has not begun, so that it sees all commits before now. */
  let next: Promise<void> | undefined;
  let stopped = false;
  let following: Promise<void> | undefined;
  const wake = createAsyncEvent(timer);
  /** Whether the connection for wake-ups was broken: the database may have been replaced by an older copy meanwhile. */
  let missed = false;
  const unsubscribe = wakeUps.subscribe(directoryTopic, (isGap) => {
    missed ||= isGap;
    wake.set();
  });

  /** Reads are made one after the other. Otherwise an older row could replace a newer one in the view. */
  function refreshed(): Promise<void> {
    next ??= reading
      .catch(() => {})
      .then(() => {
        next = undefined;
        return (reading = read());
      });
    return next;
  }

  async function read(): Promise<void> {
    const began = monotonic();
    const from = missed ? undefined : position;
    // After a failure, what was read is unknown.
    position = undefined;
    missed = false;
    position = from === undefined ? await load() : await readFrom(from).catch(loadIfUnusable);
    seen = began;
  }

  /** Loads the view. Events from before the load are read again, so that none in between is missed. */
  async function load(): Promise<Position> {
    const now = await events.positionNow();
    await view.load();
    return now;
  }

  function loadIfUnusable(err: unknown): Promise<Position> {
    if (!(err instanceof UnusablePosition)) throw err;
    monitor.log.warn({ err }, "events of clients and roles were missed; loading all of them");
    return load();
  }

  async function readFrom(from: Position): Promise<Position> {
    for (let at = from; ;) {
      const page = await events.read(at, pageSize, directoryEvents);
      if (page.events.length > 0) await view.reload(changesOf(page.events));
      if (page.caughtUp) return page.position;
      at = page.position;
    }
  }

  async function run(): Promise<void> {
    for (let failures = 0; !stopped;) {
      await wake.wait(failures === 0 ? pollMs : backoffDelay(failures - 1, outage));
      if (stopped) return;
      try {
        await refreshed();
        if (failures > 0) monitor.log.info("the view of clients and roles is up to date again");
        failures = 0;
      } catch (err) {
        // Each of the following ones says the same.
        if (failures++ === 0) reportFailure(monitor, err, { view: "clients and roles" });
      }
    }
  }

  return {
    refreshed,
    age: () => monotonic() - seen,
    async start() {
      await refreshed();
      following = run();
    },
    async stop() {
      stopped = true;
      unsubscribe();
      wake.set();
      await following;
      await reading.catch(() => {});
    },
  };
}

/** Returns the ids that events name. */
function changesOf(events: readonly LoggedEvent[]): { clientIds: Set<string>; roleIds: Set<string> } {
  const clientIds = new Set<string>();
  const roleIds = new Set<string>();
  for (const { payload } of events) {
    // All events of this service name a client or a role.
    const { clientId, roleId } = JSON.parse(payload) as { clientId?: string; roleId?: string };
    if (clientId !== undefined) clientIds.add(clientId);
    if (roleId !== undefined) roleIds.add(roleId);
  }
  return { clientIds, roleIds };
}
