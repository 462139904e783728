// Public API of the events service: the event log as streams over HTTP.
import { eventsApi } from "../../../api/events.ts";
import { defineService } from "../../core/service.ts";
import { createEventStreams } from "./connect.ts";
import { metrics } from "./metrics.ts";
import { settings } from "./settings.ts";

export const eventsService = defineService({
  api: eventsApi,
  settings,
  metrics,
  create(platform) {
    const streams = createEventStreams(platform);
    return {
      handlers: { connect: streams.connect },
      provides: {},
      // The HTTP server waits for open connections to end before it closes.
      drain: streams.end,
    };
  },
});
