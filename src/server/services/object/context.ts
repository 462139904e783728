// The dependencies of the object service.
import type { Clock } from "../../../lib/clock.ts";
import type { ArtifactStore } from "../../core/artifact-store/index.ts";
import type { SettingsOf } from "../../core/service.ts";
import type { settings } from "./settings.ts";
import type { Db } from "../../core/db.ts";
import type { Monitor } from "../../core/monitor.ts";

export interface ObjectContext {
  readonly db: Db;
  readonly clock: Clock;
  readonly monitor: Monitor;
  readonly artifacts: ArtifactStore;
  readonly config: SettingsOf<typeof settings>["objects"];
}
