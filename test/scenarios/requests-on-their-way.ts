// Tells when requests of this process are on their way, so that a test can act while the server has them.
import { subscribe, unsubscribe } from "node:diagnostics_channel";

/**
 * Calls `send`, which calls the server with `fetch`, and resolves when `count` more requests to `path` were written to
 * their sockets. Whatever is sent after that comes to the server after them.
 */
export async function whenSent(count: number, path: string, send: () => void): Promise<void> {
  let sent = 0;
  await new Promise<void>((resolve) => {
    const onSent = (message: unknown): void => {
      // The message of this channel of undici, of which Node's fetch is made.
      const { request } = message as { readonly request: { readonly path: string } };
      if (!request.path.includes(path) || ++sent < count) return;
      unsubscribe("undici:request:bodySent", onSent);
      resolve();
    };
    subscribe("undici:request:bodySent", onSent);
    send();
  });
}
