// The contract of the events service: events as a stream over HTTP.
import { endpoint } from "./endpoint.ts";
import { monitoringEndpoints, service } from "./service.ts";

/** The scope to read events. On instances whose results are public, every caller has it. */
export const LISTEN_SCOPE = "events:listen";

// The handler checks the values: its error messages say more than "does not match".
const anything = /^/;

export const eventsApi = service({
  name: "events",
  version: "v1",
  title: "Events",
  description: "Streams events live or from the past, as server-sent events.",
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
      description: `Returns a stream of server-sent events (\`text/event-stream\`), for \`EventSource\`, \`curl -N\` and similar clients.

**bindings** (required): \`{"bindings": [{"exchange": …, "routingKeyPattern": …}, …]}\` as JSON, with 1 to 100 bindings.
Patterns are those of AMQP topic exchanges: words separated by dots, \`*\` for one word, \`#\` for any number. An event is
sent once if a binding matches its routing key or one of its additional keys \`route.<route>\`. Events of clients, roles and worker
pools also need the scope to list these.

**from**: where the stream starts. Default: now. Either a position (the \`id\` of any event of any stream; the stream
continues after it), a time such as \`2026-01-31T12:00:00Z\` (the first event recorded at that time or later) or
\`start\` (the oldest retained event).

**lastEventId**, or the header \`Last-Event-ID\` that \`EventSource\` sends automatically: continues after this event. It
takes precedence over \`from\`, so that an interrupted stream can be reopened with the same URL. If the events after it
are no longer retained, the stream starts with the oldest one and reports the gap.

The stream contains:

* \`ready\`, first: \`{"position", "complete", "notice"}\`. No event after it is missed. If earlier events are missing,
  \`complete\` is false and \`notice\` gives the reason.
* \`message\`: \`{"exchange", "routingKey", "routes", "payload", "redelivered"}\`. Its id is its position.
* \`ping\`: \`{"time"}\`, after a period without other frames. Its id is the position reached so far.
* \`error\`: \`{"code", "message"}\`, before the server ends the stream for a reason that reopening it would not fix.`,
      scopes: LISTEN_SCOPE,
      reply: "blob",
    }),
  },
  exchanges: {},
});
