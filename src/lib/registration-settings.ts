// The settings by which a worker registers with a worker pool. Declared here for the same reason as those of the worker.
import Type, { type Static } from "typebox";
import { choice, duration, longestTimer, path, section, text } from "./setting.ts";
import { taskQueuePattern } from "./worker-settings.ts";

export const registrationSettings = section("How `taskyard worker` registers with a worker pool.", {
  pool: Type.Optional(
    text({
      ...taskQueuePattern,
      derived: "none; the worker has a client of its own",
      option: { name: "pool", value: "POOL" },
      description:
        "The worker pool from which the worker gets its credentials. The worker claims tasks from the queue with the same id.",
    }),
  ),
  secretFile: Type.Optional(
    path({
      derived: "none",
      option: { name: "secret-file", value: "FILE" },
      description:
        "A file with a secret of the pool, or with that of the worker if the provider is `static`. Only the worker's user may read it.",
    }),
  ),
  provider: choice(["self", "static"], {
    preset: "self",
    option: { name: "provider", value: "PROVIDER" },
    description: "The provider of the pool: `self` or `static`.",
  }),
  terminatePollInterval: duration("30s", {
    max: longestTimer,
    option: { name: "terminate-poll-interval", value: "DURATION" },
    description:
      "How often the worker requests whether it should terminate: because its pool was deleted or has too many workers, or because it is in quarantine.",
  }),
});

/** The loaded settings: durations in milliseconds, paths absolute. */
export type RegistrationSettings = Readonly<Static<typeof registrationSettings>>;
