// One process at a time for each name: a lock in the database that ends with the connection of whoever holds it.
import Type from "typebox";
import type { Clock } from "../../../lib/clock.ts";
import { createAsyncEvent } from "../async-event.ts";
import type { Db, Queryable } from "../db.ts";
import { sql } from "../sql.ts";

export interface Term {
  /** Aborted when the lock is lost, at most a heartbeat after its connection broke. */
  readonly lost: AbortSignal;
  /** Gives the lock back. */
  release(): Promise<void>;
}

export interface Leadership {
  /** The lock of a name, or undefined where somebody else holds it, here or in another process. */
  take(name: string): Promise<Term | undefined>;
}

/** All locks of a process, on the one connection that holds them. */
interface Session {
  lock(name: string): Promise<boolean>;
  readonly names: Set<string>;
  readonly lost: AbortSignal;
  end(): Promise<void>;
}

const heartbeatMs = 5_000;
const Locked = Type.Object({ locked: Type.Boolean() });

/**
 * Holds a connection of the pool while at least one lock is held. A row with a lease was rejected: after a crash, the
 * next process would have to wait until it runs out, and this one notices at once that the connection is gone.
 *
 * The locks are those of a transaction, which cannot be given back one by one: when one is released, all end, and the
 * others are taken again. That is only when a consumer stops. Locks of the session would outlive a failed
 * transaction on a connection that is given back to the pool.
 */
export function createLeadership({ db, clock }: { readonly db: Db; readonly clock: Clock }): Leadership {
  let session: Promise<Session> | undefined;

  function open(): Promise<Session> {
    return new Promise((resolve, reject) => {
      const lost = new AbortController();
      const wake = createAsyncEvent(clock);
      const names = new Set<string>();
      let ending = false;
      // One statement after the other: a connection takes no two at once.
      let last: Promise<unknown> = Promise.resolve();
      const serially = <R>(run: () => Promise<R>): Promise<R> => {
        const result = last.then(run);
        last = result.catch(() => undefined);
        return result;
      };
      const hold = async (tx: Queryable): Promise<void> => {
        resolve({
          names,
          lost: lost.signal,
          lock: (name) =>
            serially(async () => {
              const key = `taskyard consumer ${name}`;
              const query = sql`select pg_try_advisory_xact_lock(hashtextextended(${key}, 0)) as locked`;
              return (await tx.maybeOne(Locked, query))?.locked === true;
            }),
          async end() {
            ending = true;
            wake.set();
            await held;
          },
        });
        while (!ending) {
          await wake.wait(heartbeatMs);
          await serially(() => tx.run(sql`select`));
        }
      };
      const held = db
        .tx(hold)
        // Before anybody waits for the session, its failure is theirs; afterwards it is told by `lost`.
        .catch(reject)
        .finally(() => {
          session = undefined;
          lost.abort();
        });
    });
  }

  return {
    async take(name) {
      const current = await (session ??= open());
      if (current.lost.aborted || current.names.has(name)) return undefined;
      current.names.add(name);
      const locked = await current.lock(name).catch(() => false);
      if (!locked) {
        current.names.delete(name);
        if (current.names.size === 0) await current.end();
        return undefined;
      }
      return {
        lost: current.lost,
        async release() {
          if (current.names.delete(name)) await current.end();
        },
      };
    },
  };
}
