// Sends incidents to Sentry, with the protocol part of Sentry's SDK and nothing else of it: no globals are
// patched, no requests traced, no console captured. Those are what the SDK for Node adds, and what slows a server.
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

// A Sentry that does not answer must not pile up requests: the SDK drops reports once 64 of them wait.
const requestTimeoutMs = 10_000;

/** An error sink for the project that the DSN names. */
export function sentrySink({ dsn, release, log }: SentryOptions): ErrorSink {
  const client = new ServerRuntimeClient({
    dsn,
    ...(release === undefined ? {} : { release }),
    platform: "node",
    runtime: { name: "node", version: process.version },
    integrations: [],
    // Counts of dropped reports would go out on a timer and at exit; the log says what was not sent.
    sendClientReports: false,
    stackParser: createStackParser(nodeStackLineParser()),
    transport: (options) =>
      createTransport(options, async ({ body }) => {
        // A copy gives the type that fetch asks for (a view on a plain ArrayBuffer); reports are small and rare.
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
      // One random id for both: the incident that a user quotes is found in Sentry by its event id as well.
      client.captureException(error, { event_id: incidentId.replaceAll("-", "") }, scope);
    },
    async close(timeoutMs) {
      if (!(await client.close(timeoutMs))) log.warn("not every error report reached Sentry before the stop");
    },
  };
}
