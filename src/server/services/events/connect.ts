// Handles `connect`: follows the event log and sends matching events as a stream.
import { Readable } from "node:stream";
import type { eventsApi } from "../../../api/events.ts";
import { counted } from "../../../lib/counted.ts";
import { ApiError } from "../../../lib/errors.ts";
import { linkSignals } from "../../../lib/linked-signal.ts";
import type { LoggedEvent } from "../../core/event-log/index.ts";
import { requireScopes } from "../../core/caller.ts";
import { callerKey, type Call } from "../../core/http/call.ts";
import { StreamReply } from "../../core/http/replies.ts";
import { MAX_RETRY_AFTER_MS } from "../../core/http/retry-after.ts";
import type { Platform } from "../../core/service.ts";
import { createTally } from "../../core/tally.ts";
import { bindingsMatcher, parseBindings, scopesOf } from "./bindings.ts";
import type { metrics } from "./metrics.ts";
import type { settings } from "./settings.ts";
import { startPosition } from "./start-position.ts";
import { messageFrame, streamEvents } from "./stream.ts";

const headers = {
  "content-type": "text/event-stream; charset=utf-8",
  // Otherwise nginx buffers events until they fill a page.
  "x-accel-buffering": "no",
};

export interface EventStreams {
  connect(call: Call<typeof eventsApi.endpoints.connect>): Promise<StreamReply>;
  /** Ends all streams. */
  end(): void;
}

export function createEventStreams({
  events,
  config,
  clock,
  monitor,
  metrics: { eventStreams },
}: Platform<typeof settings, typeof metrics>): EventStreams {
  const { eventsRead } = monitor.metrics;
  const end = new AbortController();
  // Followers in one process share event objects, so each event is serialized once however many streams send it.
  const frames = new WeakMap<LoggedEvent, string>();
  const open = createTally();

  function frameOf(event: LoggedEvent): string {
    const known = frames.get(event);
    if (known !== undefined) return known;
    const frame = messageFrame(event);
    frames.set(event, frame);
    return frame;
  }

  async function connect(call: Call<typeof eventsApi.endpoints.connect>): Promise<StreamReply> {
    const bindings = parseBindings(call.query.bindings);
    requireScopes(call.caller.identity(), { AllOf: scopesOf(bindings) });
    const accepts = bindingsMatcher(bindings);
    const header = call.request.headers["last-event-id"];
    const lastEventId = typeof header === "string" && header !== "" ? header : call.query.lastEventId;
    const { position, ready } = await startPosition(events, { lastEventId, from: call.query.from });
    if (call.request.method === "HEAD") return new StreamReply(Readable.from([]), headers);
    const { maxStreams, maxStreamsPerCaller } = config.events;
    // Streams last for hours, so there is no better estimate than the longest.
    if (open.total >= maxStreams)
      throw new ApiError(
        "ServiceUnavailable",
        `This server already has ${counted(maxStreams, "open event stream")}. Close some, or retry later.`,
        { retryAfterMs: MAX_RETRY_AFTER_MS },
      );
    const caller = callerKey(call);
    const own = open.of(caller);
    if (own >= maxStreamsPerCaller)
      throw new ApiError(
        "TooManyRequests",
        `You already have ${counted(own, "open event stream")}, which is the maximum. Close some: one stream can have many bindings.`,
        { retryAfterMs: MAX_RETRY_AFTER_MS },
      );

    const ended = linkSignals(call.closed(), end.signal);
    const following = events.follow({ from: position, signal: ended.signal, accepts });
    const chunks = streamEvents({
      ready,
      following,
      clock,
      pingMs: config.events.pingInterval,
      frameOf: countedFrame,
    });
    function countedFrame(event: LoggedEvent): string {
      eventsRead.inc({ reader: "stream" });
      return frameOf(event);
    }
    open.add(caller, 1);
    eventStreams.set(open.total);
    const body = Readable.from(chunks);
    body.once("close", () => {
      ended.abort();
      open.add(caller, -1);
      eventStreams.set(open.total);
    });
    body.once("error", (err) => monitor.reportError(err));
    return new StreamReply(body, headers);
  }

  return { connect, end: () => end.abort() };
}
