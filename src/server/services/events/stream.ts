// One stream of server-sent events as text, from whatever follows the log.
import type { Clock } from "../../../lib/clock.ts";
import { ApiError } from "../../../lib/errors.ts";
import { encodePosition, pullFrom, type Following, type LoggedEvent } from "../../core/event-log/index.ts";

/** The data of the first frame. */
export interface Ready {
  readonly position: string;
  /** False where events that the listener asked for are no longer kept; `notice` then says so. */
  readonly complete: boolean;
  readonly notice?: string;
}

export interface StreamOptions {
  readonly ready: Ready;
  readonly following: Following;
  readonly clock: Clock;
  /** A ping goes out when nothing else did for this long. */
  readonly pingMs: number;
  /** The text of one event; streams may share it. */
  readonly frameOf: (event: LoggedEvent) => string;
}

// One write to the socket for many small events, without holding much more than that.
const chunkCharacters = 32 * 1024;

/**
 * Chunks of whole frames, made when they are asked for: a reader that stalls makes nothing pile up here. Ends when
 * the following ends.
 */
export async function* streamEvents(options: StreamOptions): AsyncGenerator<string, void, undefined> {
  const { ready, following, clock, pingMs, frameOf } = options;
  const events = following[Symbol.asyncIterator]();
  const pull = pullFrom(events, clock);

  // Listeners of a server that is restarted come back within a few seconds, and not all at once.
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

/** The frame of one event. Its payload is passed on as the text it is. */
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

/** A frame's data ends with its line. In JSON, a line break stands only where a space may. */
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
