// What each service declares for the configuration. Apart from services.ts, so that a worker, which reads the same file, loads
// no service.
import type { ConfigProblem } from "./core/config/problem.ts";
import type { Sections } from "./core/service.ts";
import { contradictions, settings as auth } from "./services/auth/settings.ts";
import { settings as events } from "./services/events/settings.ts";
import { settings as objects } from "./services/object/settings.ts";
import { settings as purgeCache } from "./services/purge-cache/settings.ts";
import { settings as queue } from "./services/queue/settings.ts";
import { settings as secrets } from "./services/secrets/settings.ts";

export interface DeclaredSettings {
  readonly settings: Sections;
  /** Returns the problems of settings that are each valid but contradict each other. */
  readonly contradictions?: (config: never) => readonly ConfigProblem[];
}

/** The declarations, in the order of the services. */
export const declaredSettings = [
  { settings: auth, contradictions },
  { settings: objects },
  { settings: queue },
  { settings: secrets },
  { settings: purgeCache },
  { settings: events },
] as const satisfies readonly DeclaredSettings[];
