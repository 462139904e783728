// One process at a time per name: an advisory lock of the database that ends with the connection of its holder.
import Type from "typebox";
import type { Clock } from "../../../lib/clock.ts";
import { createAsyncEvent } from "../async-event.ts";
import type { Db, Queryable } from "../db.ts";
import { MAX_AGE_MS } from "../db-sessions.ts";
import { sql } from "../sql.ts";
import { InternalError } from "../../../lib/internal-error.ts";

export interface Term {
  /** Aborted when the lock is lost, at most a heartbeat after its connection broke. */
  readonly lost: AbortSignal;
  /** Releases the lock. */
  release(): Promise<void>;
}

export interface Leadership {
  /** Takes the lock of a name. Returns undefined if it is held, by this process or another one. */
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
 * next process would have to wait until it expires, whereas a broken connection is noticed immediately.
 *
 * The locks belong to a transaction, so they cannot be released one by one: when one is released, all end and the others
 * are taken again. That only happens when a consumer stops. Locks of the session would survive a failed transaction on a
 * connection that returns to the pool.
 */
export function createLeadership({ db, clock }: { readonly db: Db; readonly clock: Clock }): Leadership {
  let session: Promise<Session> | undefined;

  function open(): Promise<Session> {
    return new Promise((resolve, reject) => {
      const lost = new AbortController();
      const wake = createAsyncEvent(clock);
      const names = new Set<string>();
      let begun = false;
      let ending = false;
      // One statement after the other, because a connection runs one at a time.
      let last: Promise<unknown> = Promise.resolve();
      const serially = <R>(run: () => Promise<R>): Promise<R> => {
        const result = last.then(run);
        last = result.catch(() => undefined);
        return result;
      };
      const hold = async (tx: Queryable): Promise<void> => {
        // The database layer retries transactions, but the locks of the first try are lost.
        if (begun) throw new InternalError("the transaction that held the locks was aborted");
        begun = true;
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
        // The pool does not replace it while it is in use.
        const expires = clock.now() + MAX_AGE_MS;
        while (!ending && clock.now() < expires) {
          await wake.wait(heartbeatMs);
          await serially(() => tx.run(sql`select`));
        }
      };
      const held = db
        .tx(hold)
        // A failure to begin rejects the waiting caller. After that, `reject` is a no-op and `lost` reports the failure.
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
