// Changes of roles, one after the other. A check for cycles must have seen all other changes.
import { ApiError } from "../../../../lib/errors.ts";
import type { AuthContext } from "../context.ts";
import { readVersion } from "./store.ts";

/**
 * Calls `change` with a version of all roles that the view of this process contains. `change` returns undefined if the
 * version is no longer the current one when it writes, and is then called again.
 */
export type InTurn = <R>(change: (version: number) => Promise<R | undefined>) => Promise<R>;

/** Other processes that change roles at the same time make some tries fail. */
const MAX_TRIES = 20;

export function createTurns({ db, refreshed }: Pick<AuthContext, "db" | "refreshed">): InTurn {
  // Within the process, changes wait for each other, so that they do not fail by each other.
  let last: Promise<unknown> = Promise.resolve();

  async function take<R>(change: (version: number) => Promise<R | undefined>): Promise<R> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      // In this order: the view then contains at least what the version counts.
      const version = await readVersion(db);
      await refreshed();
      const result = await change(version);
      if (result !== undefined) return result;
    }
    throw new ApiError(
      "ServiceUnavailable",
      "Other calls kept changing roles. Nothing was changed. Try again.",
    );
  }

  return (change) => {
    const turn = last.then(() => take(change));
    last = turn.catch(() => {});
    return turn;
  };
}
