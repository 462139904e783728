// Ends what callers wait for when their credentials end: streams of events, and calls that wait for work.
import { systemClock, type Clock } from "../../../../lib/clock.ts";
import type { Client, ClientDirectory } from "./client-directory.ts";

/** When credentials end: with their client, and those with a certificate also at the end of its time. */
export interface Lifetime {
  readonly client: Client;
  /** In milliseconds since the epoch. */
  readonly until: number;
}

export interface Lifetimes {
  /**
   * Calls `end` once, when the client is disabled or deleted, gets another access token or expires, or at the end of the
   * certificate. Returns a function that cancels this.
   */
  watch(lifetime: Lifetime, end: () => void): () => void;
  /** Must be called after a client was changed. */
  clientChanged(clientId: string): void;
}

/** How late an expiry may be noticed. One timer for all, since most waits are over before anything expires. */
const sweepMs = 500;

export function createLifetimes(
  directory: Pick<ClientDirectory, "client">,
  clock: Pick<Clock, "now">,
  timer: Pick<Clock, "after"> = systemClock,
): Lifetimes {
  /** The checks of each client. */
  const watches = new Map<string, Set<() => void>>();
  let isSweeping = false;

  function sweepLater(): void {
    if (isSweeping || watches.size === 0) return;
    isSweeping = true;
    timer.after(sweepMs, () => {
      isSweeping = false;
      for (const ofClient of watches.values()) for (const check of ofClient) check();
      sweepLater();
    });
  }

  return {
    watch({ client: { clientId, accessToken }, until }, end) {
      const ofClient = watches.get(clientId) ?? new Set();
      watches.set(clientId, ofClient);
      const cancel = (): void => {
        ofClient.delete(check);
        if (ofClient.size === 0 && watches.get(clientId) === ofClient) watches.delete(clientId);
      };
      const check = (): void => {
        const client = directory.client(clientId);
        const isValid = client !== undefined && !client.disabled && client.accessToken === accessToken;
        if (isValid && Math.min(client.expires, until) >= clock.now()) return;
        cancel();
        end();
      };
      ofClient.add(check);
      check();
      sweepLater();
      return cancel;
    },
    clientChanged(clientId) {
      for (const check of watches.get(clientId) ?? []) check();
    },
  };
}
