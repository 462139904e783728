// The events service: the log as streams over HTTP.
import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { eventsApi, LISTEN_SCOPE } from "../../../api/events.ts";
import { ApiError } from "../../../lib/errors.ts";
import type { Config } from "../../core/config.ts";
import type { EventLog, LoggedEvent } from "../../core/event-log/index.ts";
import { requireScopes } from "../../core/caller.ts";
import type { Call } from "../../core/http/call.ts";
import { StreamReply } from "../../core/http/replies.ts";
import { serve, type ServeOptions } from "../../core/http/serve.ts";
import type { MonitoringHandlers } from "../../monitoring.ts";
import { beginningOf } from "./start-position.ts";
import { bindingsMatcher, parseBindings } from "./bindings.ts";
import { messageFrame, streamEvents } from "./stream.ts";

export interface EventsOptions {
  readonly events: EventLog;
  readonly config: Pick<Config["events"], "pingInterval" | "public">;
  readonly common: MonitoringHandlers;
  readonly served: ServeOptions;
}

// Each open stream costs a socket, some 50 kB and its share of the matching; this many are far from harm.
const maxStreams = 1_000;

const headers = {
  "content-type": "text/event-stream; charset=utf-8",
  // nginx would otherwise collect events until it has a page of them.
  "x-accel-buffering": "no",
};

/** Adds the routes of the service to `app`. Its streams end when `app` closes. */
export function serveEvents(app: FastifyInstance, options: EventsOptions): void {
  const { events, config, common, served } = options;
  const { clock, monitor } = served;
  const { eventStreams, eventsRead } = monitor.metrics;
  const end = new AbortController();
  // Before the server waits for its connections to end.
  app.addHook("preClose", () => end.abort());
  // Followers of one process get the same objects, so what many streams send is put into words once.
  const frames = new WeakMap<LoggedEvent, string>();
  let open = 0;

  function frameOf(event: LoggedEvent): string {
    const known = frames.get(event);
    if (known !== undefined) return known;
    const made = messageFrame(event);
    frames.set(event, made);
    return made;
  }

  async function connect(call: Call<typeof eventsApi.endpoints.connect>): Promise<StreamReply> {
    if (!config.public) requireScopes(call.caller.identity(), LISTEN_SCOPE);
    const accepts = bindingsMatcher(parseBindings(call.query.bindings));
    const header = call.request.headers["last-event-id"];
    const lastEventId = typeof header === "string" && header !== "" ? header : call.query.lastEventId;
    const { position, ready } = await beginningOf(events, { lastEventId, from: call.query.from });
    if (call.request.method === "HEAD") return new StreamReply(Readable.from([]), headers);
    if (open >= maxStreams)
      throw new ApiError(
        "ServiceUnavailable",
        `This server has ${maxStreams} open event streams already. Close some, or try again later.`,
      );

    const signal = AbortSignal.any([call.closed(), end.signal]);
    const following = events.follow({ from: position, signal, accepts });
    const chunks = streamEvents({ ready, following, clock, pingMs: config.pingInterval, frameOf: counted });
    function counted(event: LoggedEvent): string {
      eventsRead.inc({ reader: "stream" });
      return frameOf(event);
    }
    eventStreams.set(++open);
    const body = Readable.from(chunks);
    body.once("close", () => eventStreams.set(--open));
    body.once("error", (err) => monitor.reportError(err));
    return new StreamReply(body, headers);
  }

  serve(app, eventsApi, { ...common, connect }, served);
}
