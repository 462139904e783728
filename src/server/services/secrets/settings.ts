// Settings of the secrets service.
import { duration, longestTimer, section } from "../../../lib/setting.ts";

const secrets = section("The secrets service.", {
  loopInterval: duration("1h", { max: longestTimer, description: "How often expired secrets are removed." }),
});

export const settings = { secrets };
