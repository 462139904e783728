// A client of the worker whose credentials can be replaced while it is used.
import { connect, type Client } from "../client/connect.ts";
import type { Credentials } from "../client/signer.ts";
import type { WorkerClient } from "./main.ts";

export interface RenewableClient {
  /** Signs each call with the newest credentials. */
  readonly client: WorkerClient;
  /** Returns a client with the newest credentials. */
  newest(): Client;
  /** Replaces the credentials, for the calls that start later. */
  renew(credentials: Credentials): void;
}

/** Creates the client. Sends nothing. Throws if the root URL or a certificate is malformed. */
export function renewableClient(rootUrl: string, credentials: Credentials): RenewableClient {
  let current = connect({ rootUrl, credentials });
  return {
    newest: () => current,
    renew(renewed) {
      current = connect({ rootUrl, credentials: renewed });
    },
    // Functions that look the client up: parts of the worker keep copies of them.
    client: {
      rootUrl: current.rootUrl,
      queue: {
        claimWork: (...args) => current.queue.claimWork(...args),
        reclaimTask: (...args) => current.queue.reclaimTask(...args),
        status: (...args) => current.queue.status(...args),
        reportCompleted: (...args) => current.queue.reportCompleted(...args),
        reportFailed: (...args) => current.queue.reportFailed(...args),
        reportException: (...args) => current.queue.reportException(...args),
        createArtifact: (...args) => current.queue.createArtifact(...args),
        finishArtifact: (...args) => current.queue.finishArtifact(...args),
        getLatestArtifact: (...args) => current.queue.getLatestArtifact(...args),
        withCredentials: (other) => current.queue.withCredentials(other),
      },
      object: {
        createUpload: (...args) => current.object.createUpload(...args),
        finishUpload: (...args) => current.object.finishUpload(...args),
        withCredentials: (other) => current.object.withCredentials(other),
      },
      events: { listen: (...args) => current.events.listen(...args) },
    },
  };
}
