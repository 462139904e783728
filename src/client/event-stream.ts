// Live events over server-sent events. Interrupted connections are resumed without missing an event.
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { eventsApi } from "../api/events.ts";
import { backoffDelay } from "../lib/backoff.ts";
import { linkSignals } from "../lib/linked-signal.ts";
import { pause } from "../lib/retry.ts";
import type { Binding, PayloadOf } from "./bindings.ts";
import { callBackoff, jsonOf, type Transport } from "./call.ts";
import { ClientError, noAnswer, refusal } from "./client-error.ts";
import { endpointUrl } from "./endpoint-url.ts";
import { InternalError } from "../lib/internal-error.ts";

/** An event of a binding. A union of bindings gives a union of events, discriminated by `exchange`. */
export type EventOf<B extends Binding> =
  B extends Binding<infer X>
    ? {
        readonly exchange: X;
        readonly routingKey: string;
        /** Additional routing keys (`route.…`) that bindings can match. */
        readonly routes: readonly string[];
        readonly payload: PayloadOf<B>;
        /** True if the event may have been delivered before. */
        readonly redelivered: boolean;
        /** The position in the event log. Another stream with this `from` continues after the event. */
        readonly position: string;
      }
    : never;

export interface ListenOptions {
  /** Where to start: after a position, at a time such as `2026-01-31T12:00:00Z`, or at the `start`. Default: now. */
  readonly from?: string | undefined;
  /** Ends the stream. The loop over it then ends without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Consecutive failed connections after which the stream ends with an error. Default: unlimited. */
  readonly retries?: number | undefined;
  /** Whether to reconnect. If false, the stream ends with its first connection, with an error if that fails. Default: true. */
  readonly reconnect?: boolean | undefined;
}

const name = "events.connect";
// Servers send a ping every 20 seconds. After four missing pings the connection is considered dead.
const inactivityMs = 80_000;

/**
 * Resolves to the events in order as soon as the subscription is active, so that no later event is missed. Rejects if the
 * server refuses or is unreachable, and if requested events are no longer retained. If that happens while the connection
 * is interrupted, the stream ends with an error.
 */
export async function listen<const B extends Binding>(
  transport: Transport,
  rootUrl: string,
  bindings: readonly B[],
  { from, ...options }: ListenOptions = {},
): Promise<AsyncGenerator<EventOf<B>, void, undefined>> {
  const query = { bindings: JSON.stringify({ bindings }), from };
  const url = endpointUrl(rootUrl, eventsApi, eventsApi.endpoints.connect, {}, query);
  const frames = resumedFrames(transport, url, options);
  try {
    for (;;) {
      const { value, done } = await frames.next();
      if (done === true) break;
      checkFrame(value);
      if (value.event === "ready") break;
    }
  } catch (error) {
    await frames.return();
    throw error;
  }
  return events(frames);
}

async function* events<B extends Binding>(
  frames: AsyncGenerator<EventSourceMessage, void, undefined>,
): AsyncGenerator<EventOf<B>, void, undefined> {
  for await (const frame of frames) {
    checkFrame(frame);
    if (frame.event !== "message") continue;
    // The message matches one of the bindings, and the server validated the payload before storing it.
    const event = JSON.parse(frame.data) as EventOf<B>;
    yield { ...event, position: frame.id ?? "" };
  }
}

/** Throws if the frame reports an error that reconnecting would not fix. */
function checkFrame({ event, data }: EventSourceMessage): void {
  if (event !== "error" && event !== "ready") return;
  // The shapes that the events service declares for these frames.
  const body = JSON.parse(data) as {
    readonly code?: string;
    readonly message?: string;
    readonly complete?: boolean;
    readonly notice?: string;
  };
  if (event === "error") {
    const { code = "StreamError", message = "the server ended the stream" } = body;
    throw new ClientError(message, { method: name, code, body });
  }
  if (body.complete !== false) return;
  const notice = body.notice ?? "Requested events are no longer retained.";
  throw new ClientError(notice, { method: name, code: "EventsMissing", body });
}

/** Yields the frames of successive connections. */
async function* resumedFrames(
  transport: Transport,
  url: string,
  { signal, retries, reconnect = true }: Omit<ListenOptions, "from">,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  let position: string | undefined;
  let connected = false;
  // The server's `retry` field, which spreads the reconnections after a restart.
  let minWaitMs = 0;
  const onRetry = (ms: number): void => void (minWaitMs = ms);
  for (let failures = 0; ; failures++) {
    try {
      for await (const frame of connection(transport, url, { position, signal, onRetry })) {
        connected = true;
        failures = 0;
        if (frame.id !== undefined) position = frame.id;
        yield frame;
      }
    } catch (error) {
      if (signal?.aborted) return;
      const final = error instanceof ClientError && error.statusCode !== undefined && error.statusCode < 500;
      if (final || !reconnect || failures >= (retries ?? (connected ? Infinity : transport.retries)))
        throw error;
    }
    if (!reconnect) return;
    const wait = Math.max(minWaitMs, backoffDelay(failures, callBackoff));
    await pause(transport.clock, wait, signal).catch(() => undefined);
    if (signal?.aborted) return;
  }
}

interface Connection {
  /** The id of the last received frame. */
  readonly position: string | undefined;
  readonly signal: AbortSignal | undefined;
  onRetry(ms: number): void;
}

/** Yields the frames of one connection until it breaks. */
async function* connection(
  transport: Transport,
  url: string,
  { position, signal, onRetry }: Connection,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  const { clock, signer, timeoutMs } = transport;
  const authorization = await signer?.header("GET", url, clock.now());
  const headers = {
    accept: "text/event-stream",
    ...(authorization !== undefined && { authorization }),
    ...(position !== undefined && { "last-event-id": position }),
  };
  const lifetime = linkSignals(signal);
  /** Waits for the server. Aborts the connection after `ms`. */
  const received = async <T>(ms: number, data: Promise<T>): Promise<T> => {
    const cancel = clock.after(ms, () =>
      lifetime.abort(new InternalError(`nothing received for ${ms / 1000} s`)),
    );
    try {
      return await data;
    } catch (error) {
      throw noAnswer(name, url, error);
    } finally {
      cancel();
    }
  };

  try {
    const response = await received(timeoutMs, transport.fetch(url, { headers, signal: lifetime.signal }));
    if (!response.ok || response.body === null) {
      throw refusal(name, response, jsonOf(response, await received(timeoutMs, response.text())));
    }
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const frames: EventSourceMessage[] = [];
    const parser = createParser({ onEvent: (frame) => void frames.push(frame), onRetry });
    for (;;) {
      const { value, done } = await received(inactivityMs, reader.read());
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* frames.splice(0);
    }
  } finally {
    // Also closes the connection when the caller leaves the loop.
    lifetime.abort();
  }
}
