// The contract of the events service: everything that happens, as a stream over HTTP.
import { endpoint } from "./endpoint.ts";
import { monitoringEndpoints, service } from "./service.ts";

/** What a caller needs on an instance that does not show its events to everybody. */
export const LISTEN_SCOPE = "events:listen";

// What a value means is checked by the handler, which can say more than "does not match".
const anything = /^/;

export const eventsApi = service({
  name: "events",
  version: "v1",
  title: "Events",
  description: "Everything that happens, as it happens or played back, over server-sent events.",
  endpoints: {
    ...monitoringEndpoints,
    connect: endpoint({
      method: "GET",
      path: "/connect",
      query: { bindings: anything, from: anything, lastEventId: anything },
      name: "connect",
      category: "Events",
      stability: "stable",
      title: "Listen to events",
      description: `A stream in the form of server-sent events (\`text/event-stream\`), for \`EventSource\`, \`curl -N\` and the like.

**bindings**, required: \`{"bindings": [{"exchange": …, "routingKeyPattern": …}, …]}\`, 1 to 100 of them, as JSON.
Patterns are those of AMQP topic exchanges: words between dots, \`*\` for one word, \`#\` for any number. An event is
sent once if its routing key, or one of its further keys \`route.<route>\`, matches one of the bindings.

**from**: where to begin. Default: now. A position (the \`id\` of any event of any stream, to go on behind it), a time such
as \`2026-01-31T12:00:00Z\` (the first event that was recorded then or later) or \`start\` (the oldest event that is kept).

**lastEventId**, or the header \`Last-Event-ID\` that \`EventSource\` sends by itself: go on behind this event. It is
stronger than \`from\`, so that a stream that breaks off can be opened again with the same URL. Where the events
behind it are no longer kept, the stream begins with the oldest one and says so.

The stream carries:

* \`ready\`, first: \`{"position", "complete", "notice"}\`. Nothing from here on is missed; \`complete\` is false, and
  \`notice\` says why, where something before was.
* \`message\`: \`{"exchange", "routingKey", "routes", "payload", "redelivered"}\`. Its id is its position.
* \`ping\`: \`{"time"}\`, when nothing else was sent for a while. It has an id too: the place that has been passed.
* \`error\`: \`{"code", "message"}\`, before the server ends the stream for a reason that opening it again would not mend.

Public, unless the instance is configured otherwise: then it takes the scope \`${LISTEN_SCOPE}\`.`,
      reply: "blob",
    }),
  },
  exchanges: {},
});
