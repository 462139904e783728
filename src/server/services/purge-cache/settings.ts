// Settings of the purge-cache service.
import { duration, longestTimer, section } from "../../../lib/setting.ts";

const purgeCache = section("The purge-cache service.", {
  loopInterval: duration("1h", {
    max: longestTimer,
    description: "How often purge requests older than a day are removed.",
  }),
});

export const settings = { purgeCache };
