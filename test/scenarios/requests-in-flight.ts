// Detects when requests of this process are in flight, so that a test can act while they are.
import { subscribe, unsubscribe } from "node:diagnostics_channel";

/**
 * Calls `send`, which sends requests with `fetch`, and resolves when `count` requests to `path` have been written to
 * their sockets. The server receives requests that are sent later after these.
 */
export async function whenSent(count: number, path: string, send: () => void): Promise<void> {
  let sent = 0;
  await new Promise<void>((resolve) => {
    const onSent = (message: unknown): void => {
      // The message of this diagnostics channel of undici, which implements Node's fetch.
      const { request } = message as { readonly request: { readonly path: string } };
      if (!request.path.includes(path) || ++sent < count) return;
      unsubscribe("undici:request:bodySent", onSent);
      resolve();
    };
    subscribe("undici:request:bodySent", onSent);
    send();
  });
}
