// The messages between `taskyard up` and the process of its worker.
import type { WorkerSettings } from "../lib/worker-settings.ts";
import type { Credentials } from "../client/signer.ts";
import type { Fields } from "../worker/worker-monitor.ts";

export type ToWorker =
  | {
      readonly kind: "start";
      readonly rootUrl: string;
      readonly credentials: Credentials;
      readonly settings: WorkerSettings;
      /** The environment that tasks inherit, as far as the engine allows. */
      readonly environment: Readonly<Record<string, string>>;
      /** Whether to send log records of level debug. */
      readonly debug: boolean;
    }
  | { readonly kind: "credentials"; readonly credentials: Credentials };

export type LogLevel = "debug" | "info" | "warn" | "error";

export type FromWorker =
  | { readonly kind: "ready" }
  /** Sent every ten seconds. */
  | { readonly kind: "alive" }
  | { readonly kind: "failed"; readonly message: string }
  | {
      readonly kind: "log";
      readonly level: LogLevel;
      readonly fields: Fields;
      readonly message: string;
    };
