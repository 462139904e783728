// Settings of event streams. They share the section `events` with the event log.
import { duration, section } from "../../../lib/setting.ts";

const events = section("The event log and its streams.", {
  pingInterval: duration("20s", {
    max: "1m",
    description: "How often an idle stream sends a ping, so that the server and proxies keep it open.",
  }),
});

export const settings = { events };
