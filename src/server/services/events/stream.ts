// Formats followed events as a stream of server-sent events.
import type { Clock } from "../../../lib/clock.ts";
import { ApiError } from "../../../lib/errors.ts";
import { encodePosition, pullFrom, type Following, type LoggedEvent } from "../../core/event-log/index.ts";

/** The data of the first frame. */
export interface Ready {
  readonly position: string;
  /** False if some of the requested events are no longer kept; `notice` then explains it. */
  readonly complete: boolean;
  readonly notice?: string;
}

export interface StreamOptions {
  readonly ready: Ready;
  readonly following: Following;
  readonly clock: Clock;
  /** A ping is sent after this long without an event. */
  readonly pingMs: number;
  /** The text of one event; streams may share it. */
  readonly frameOf: (event: LoggedEvent) => string;
}

// Small events share a write to the socket; larger chunks would only use more memory.
const chunkCharacters = 32 * 1024;

/**
 * Yields chunks of whole frames. They are built on demand, so nothing is buffered for a stalled reader. Ends when
 * `following` ends.
 */
export async function* streamEvents(options: StreamOptions): AsyncGenerator<string, void, undefined> {
  const { ready, following, clock, pingMs, frameOf } = options;
  const events = following[Symbol.asyncIterator]();
  const pull = pullFrom(events, clock);

  // Random, so that the listeners of a restarted server do not all reconnect at the same time.
  yield `retry: ${1_000 + Math.floor(Math.random() * 2_000)}\n${frame("ready", ready.position, ready)}`;
  try {
    for (;;) {
      const next = await pull.next(pingMs);
      if (next?.done === true) return;
      if (next) yield* chunks(next.value, frameOf);
      else
        yield frame("ping", encodePosition(following.position), {
          time: new Date(clock.now()).toISOString(),
        });
    }
  } catch (err) {
    if (!(err instanceof ApiError)) throw err;
    yield frame("error", encodePosition(following.position), { code: err.code, message: err.message });
  } finally {
    await events.return?.();
  }
}

/** Returns the frame of one event. The payload is JSON text and copied unparsed. */
export function messageFrame(event: LoggedEvent): string {
  const { exchange, routingKey, routes, payload, position } = event;
  const message =
    `{"exchange":${JSON.stringify(exchange)},"routingKey":${JSON.stringify(routingKey)},` +
    `"routes":${JSON.stringify(routes)},"payload":${onOneLine(payload)},"redelivered":false}`;
  return `id: ${encodePosition(position)}\nevent: message\ndata: ${message}\n\n`;
}

function frame(event: string, id: string, data: unknown): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A frame's data is one line. JSON has unescaped line breaks only between tokens, where a space is equivalent. */
const onOneLine = (json: string): string => (/[\r\n]/.test(json) ? json.replaceAll(/[\r\n]/g, " ") : json);

function* chunks(events: readonly LoggedEvent[], frameOf: StreamOptions["frameOf"]): Generator<string> {
  let chunk = "";
  for (const event of events) {
    chunk += frameOf(event);
    if (chunk.length < chunkCharacters) continue;
    yield chunk;
    chunk = "";
  }
  if (chunk !== "") yield chunk;
}
