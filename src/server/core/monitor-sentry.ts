// Sends incidents to Sentry. Uses only the protocol part of Sentry's SDK: no globals are patched, no requests traced, no
// console output captured. The SDK for Node adds those, and they slow a server down.
import { createStackParser, createTransport, Scope } from "@sentry/core";
import { nodeStackLineParser, ServerRuntimeClient } from "@sentry/core/server";
import type { Log } from "./log.ts";
import type { ErrorSink } from "./monitor.ts";

export interface SentryOptions {
  /** `https://key@host/project`. */
  readonly dsn: string;
  /** Version of this server, shown with each error. */
  readonly release?: string;
  readonly log: Log;
}

// Requests must not pile up if Sentry does not reply: the SDK drops reports while 64 are pending.
const requestTimeoutMs = 10_000;

/** Creates an error sink for the project of the DSN. */
export function sentrySink({ dsn, release, log }: SentryOptions): ErrorSink {
  const client = new ServerRuntimeClient({
    dsn,
    ...(release === undefined ? {} : { release }),
    platform: "node",
    runtime: { name: "node", version: process.version },
    integrations: [],
    // Counts of dropped reports would be sent on a timer and at exit; unsent reports are logged instead.
    sendClientReports: false,
    stackParser: createStackParser(nodeStackLineParser()),
    transport: (options) =>
      createTransport(options, async ({ body }) => {
        // Copied because fetch requires a view of a plain ArrayBuffer; reports are small and rare.
        const payload = typeof body === "string" ? body : new Uint8Array(body);
        const response = await fetch(options.url, {
          method: "POST",
          body: payload,
          headers: { "content-type": "application/x-sentry-envelope", ...options.headers },
          signal: AbortSignal.timeout(requestTimeoutMs),
        });
        await response.arrayBuffer();
        if (!response.ok) log.warn({ status: response.status }, "Sentry refused an error report");
        return {
          statusCode: response.status,
          headers: {
            "x-sentry-rate-limits": response.headers.get("x-sentry-rate-limits"),
            "retry-after": response.headers.get("retry-after"),
          },
        };
      }),
  });
  client.init();
  client.on("afterSendEvent", (_event, response) => {
    if (response.statusCode === undefined) log.warn("an error report could not be sent to Sentry");
  });

  return {
    send(error, { incidentId, prefix, tags }) {
      const scope = new Scope();
      scope.setTags({ ...tags, prefix, incidentId });
      // The incident id is also the event id, so that Sentry finds the incident that a user quotes.
      client.captureException(error, { event_id: incidentId.replaceAll("-", "") }, scope);
    },
    async close(timeoutMs) {
      if (!(await client.close(timeoutMs))) log.warn("not every error report reached Sentry before the stop");
    },
  };
}
