// Events as they happen, over server-sent events, resumed where the connection broke off.
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { eventsApi } from "../api/events.ts";
import { backoffDelay } from "../lib/backoff.ts";
import { linkSignals } from "../lib/linked-signal.ts";
import { pause } from "../lib/retry.ts";
import type { Binding, PayloadOf } from "./bindings.ts";
import { callBackoff, jsonOf, type Transport } from "./call.ts";
import { ClientError, noAnswer, refusal } from "./client-error.ts";
import { endpointUrl } from "./endpoint-url.ts";

/** One event that a binding asked for. Unions of bindings give unions of events, told apart by `exchange`. */
export type EventOf<B extends Binding> =
  B extends Binding<infer X>
    ? {
        readonly exchange: X;
        readonly routingKey: string;
        /** Further routing keys, `route.…`, by which it could have been bound. */
        readonly routes: readonly string[];
        readonly payload: PayloadOf<B>;
        /** True where it may have been delivered before. */
        readonly redelivered: boolean;
        /** Where it stands in the log; `from` of another stream goes on after it. */
        readonly position: string;
      }
    : never;

export interface ListenOptions {
  /** Where to begin: behind a position, at a time such as `2026-01-31T12:00:00Z`, or at the `start`. Default: now. */
  readonly from?: string | undefined;
  /** Ends the stream; the loop over it then ends without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Failed connections in a row after which the stream ends with an error. Default: it keeps trying. */
  readonly retries?: number | undefined;
  /** False: the stream ends with its first connection, with an error where that failed. Default: it is resumed. */
  readonly reconnect?: boolean | undefined;
}

const name = "events.connect";
// Servers ping every 20 seconds; a stream that is silent for four of these has lost its server without a word.
const silenceMs = 80_000;

/**
 * Resolves when the server listens, so that nothing that happens from then on is missed, to the events in their
 * order. Rejects where the server refuses, where there is none, and where events that were asked for are no longer
 * kept; the stream ends with an error where that happens later, while the connection is broken.
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
    // The server made the message for one of our bindings, and validated its payload before it was stored.
    const event = JSON.parse(frame.data) as EventOf<B>;
    yield { ...event, position: frame.id ?? "" };
  }
}

/** Throws where the frame says that something is wrong that connecting anew would not mend. */
function checkFrame({ event, data }: EventSourceMessage): void {
  if (event !== "error" && event !== "ready") return;
  // The forms that the events service declares for its frames.
  const said = JSON.parse(data) as {
    readonly code?: string;
    readonly message?: string;
    readonly complete?: boolean;
    readonly notice?: string;
  };
  if (event === "error") {
    const { code = "StreamError", message = "the server ended the stream" } = said;
    throw new ClientError(message, { method: name, code, body: said });
  }
  if (said.complete !== false) return;
  const notice = said.notice ?? "Events that were asked for are no longer kept.";
  throw new ClientError(notice, { method: name, code: "EventsMissing", body: said });
}

/** The frames of one connection after the other. */
async function* resumedFrames(
  transport: Transport,
  url: string,
  { signal, retries, reconnect = true }: Omit<ListenOptions, "from">,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  let position: string | undefined;
  let connected = false;
  // What the server asks for, so that the listeners of one that is restarted do not come back all at once.
  let waitMs = 0;
  const onRetry = (ms: number): void => void (waitMs = ms);
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
    const wait = Math.max(waitMs, backoffDelay(failures, callBackoff));
    await pause(transport.clock, wait, signal).catch(() => undefined);
    if (signal?.aborted) return;
  }
}

interface Connection {
  /** The id of the last frame that was seen. */
  readonly position: string | undefined;
  readonly signal: AbortSignal | undefined;
  onRetry(ms: number): void;
}

/** The frames of one connection, until it breaks. */
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
  const gone = linkSignals(signal);
  /** Waits for the server, but not for ever. */
  const answered = async <T>(ms: number, answer: Promise<T>): Promise<T> => {
    const cancel = clock.after(ms, () => gone.abort(new Error(`silent for ${ms / 1000} s`)));
    try {
      return await answer;
    } catch (error) {
      throw noAnswer(name, url, error);
    } finally {
      cancel();
    }
  };

  try {
    const response = await answered(timeoutMs, transport.fetch(url, { headers, signal: gone.signal }));
    if (!response.ok || response.body === null) {
      throw refusal(name, response, jsonOf(response, await answered(timeoutMs, response.text())));
    }
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const frames: EventSourceMessage[] = [];
    const parser = createParser({ onEvent: (frame) => void frames.push(frame), onRetry });
    for (;;) {
      const { value, done } = await answered(silenceMs, reader.read());
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* frames.splice(0);
    }
  } finally {
    // Also where the caller has left the loop: the connection ends with it.
    gone.abort();
  }
}
