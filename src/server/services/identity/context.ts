// The dependencies of the identity service's use cases.
import type { Clock } from "../../../lib/clock.ts";
import type { Db } from "../../core/db.ts";
import type { KeyRing } from "../../core/encryption/key-ring.ts";
import type { MetricsOf } from "../../core/metrics.ts";
import type { Monitor } from "../../core/monitor.ts";
import type { SettingsOf } from "../../core/service.ts";
import type { metrics } from "./metrics.ts";
import type { settings } from "./settings.ts";

export interface IdentityContext {
  readonly db: Db;
  readonly clock: Clock;
  readonly keyRing: KeyRing;
  readonly config: SettingsOf<typeof settings>["identity"];
  readonly metrics: MetricsOf<typeof metrics>;
  readonly monitor: Monitor;
  /** The issuer of tokens. */
  readonly rootUrl: () => string;
}
