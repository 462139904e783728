// Settings of event streams. They share the section `events` with the event log.
import { duration, flag, longestTimer, section } from "../../../lib/setting.ts";

const events = section("The event log and its streams.", {
  pingInterval: duration("20s", {
    max: longestTimer,
    description: "How often an idle stream sends a ping, so that proxies keep it open.",
  }),
  public: flag(true, { description: "Whether events may be read without credentials." }),
});

export const settings = { events };
