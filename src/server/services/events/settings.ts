// Settings of event streams. They share the section `events` with the event log.
import { count, duration, section } from "../../../lib/setting.ts";

const events = section("The event log and its streams.", {
  pingInterval: duration("20s", {
    max: "1m",
    description: "How often an idle stream sends a ping, so that the server and proxies keep it open.",
  }),
  // Each open stream costs a socket, about 50 kB and CPU for matching. This many do no harm.
  maxStreams: count({
    preset: 1_000,
    min: 1,
    max: 100_000,
    description: "The maximum number of open event streams of a process. Further ones get 503.",
  }),
  maxStreamsPerCaller: count({
    preset: 100,
    min: 1,
    max: 100_000,
    description:
      "The same for one address, or one client at one address. Further ones get 429. Raise it if many listeners share an address.",
  }),
});

export const settings = { events };
