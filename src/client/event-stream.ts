// Events as they happen, over server-sent events, resumed where the connection broke off.
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { backoffDelay } from "../lib/backoff.ts";
import type { Binding, PayloadOf } from "./bindings.ts";
import { jsonOf, type Transport } from "./call.ts";
import { ClientError, noAnswer, refusal } from "./client-error.ts";
import { callBackoff, pause } from "./retry.ts";

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
  /** The position after which to begin; default: now. */
  readonly from?: string | undefined;
  /** Ends the stream; the loop over it then ends without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Failed connections in a row after which the stream ends with an error. Default: it keeps trying. */
  readonly retries?: number | undefined;
}

const name = "events.connect";
// Servers ping every 20 seconds; a stream that is silent for four of these has lost its server without a word.
const silenceMs = 80_000;

/**
 * Resolves when the server listens, so that nothing that happens from then on is missed, to the events in their
 * order. Rejects where the server refuses, or where there is none.
 */
export async function listen<const B extends Binding>(
  transport: Transport,
  rootUrl: string,
  bindings: readonly B[],
  options: ListenOptions = {},
): Promise<AsyncGenerator<EventOf<B>, void, undefined>> {
  const url = new URL(`${rootUrl}/api/events/v1/connect`);
  url.searchParams.set("bindings", JSON.stringify({ bindings }));
  const frames = resumedFrames(transport, url.href, options);
  for (;;) {
    const { value, done } = await frames.next();
    if (done === true || value.event === "ready") break;
  }
  return events(frames);
}

async function* events<B extends Binding>(
  frames: AsyncGenerator<EventSourceMessage, void, undefined>,
): AsyncGenerator<EventOf<B>, void, undefined> {
  for await (const frame of frames) {
    if (frame.event === "error") throw new ClientError(frame.data, { method: name, code: "StreamError" });
    if (frame.event !== "message") continue;
    // The server made the message for one of our bindings, and validated its payload before it was stored.
    const event = JSON.parse(frame.data) as EventOf<B>;
    yield { ...event, position: frame.id ?? "" };
  }
}

/** The frames of one connection after the other. */
async function* resumedFrames(
  transport: Transport,
  url: string,
  { from, signal, retries }: ListenOptions,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  let position = from;
  let connected = false;
  for (let failures = 0; ; failures++) {
    try {
      for await (const frame of connection(transport, url, position, signal)) {
        connected = true;
        failures = 0;
        if (frame.id !== undefined) position = frame.id;
        yield frame;
      }
    } catch (error) {
      if (signal?.aborted) return;
      const final = error instanceof ClientError && error.statusCode !== undefined && error.statusCode < 500;
      if (final || failures >= (retries ?? (connected ? Infinity : transport.retries))) throw error;
    }
    await pause(transport.clock, backoffDelay(failures, callBackoff), signal).catch(() => undefined);
    if (signal?.aborted) return;
  }
}

/** The frames of one connection, until it breaks. */
async function* connection(
  transport: Transport,
  url: string,
  position: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  const { clock, signer, timeoutMs } = transport;
  const authorization = await signer?.header("GET", url, clock.now());
  const headers = {
    accept: "text/event-stream",
    ...(authorization !== undefined && { authorization }),
    ...(position !== undefined && { "last-event-id": position }),
  };
  const gone = new AbortController();
  const ended = signal ? AbortSignal.any([signal, gone.signal]) : gone.signal;
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
    const response = await answered(timeoutMs, transport.fetch(url, { headers, signal: ended }));
    if (!response.ok || response.body === null) {
      throw refusal(name, response, jsonOf(response, await answered(timeoutMs, response.text())));
    }
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const frames: EventSourceMessage[] = [];
    const parser = createParser({ onEvent: (frame) => void frames.push(frame) });
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
