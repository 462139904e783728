// Settings of the index service.
import { duration, longestTimer, section } from "../../../lib/setting.ts";

const index = section("The index service.", {
  loopInterval: duration("1h", {
    max: longestTimer,
    description: "How often expired entries and namespaces are removed.",
  }),
});

export const settings = { index };
