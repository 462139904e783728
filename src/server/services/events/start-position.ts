// Where a stream begins. The last event id has precedence over `from`.
import { ApiError } from "../../../lib/errors.ts";
import {
  decodePosition,
  encodePosition,
  UnusablePosition,
  type EventLog,
  type Position,
} from "../../core/event-log/index.ts";
import type { Ready } from "./stream.ts";

/** What the listener requested. */
export interface StartRequest {
  /** The id of the last event that the listener received, from the header or the query. */
  readonly lastEventId?: string | undefined;
  readonly from?: string | undefined;
}

export interface StartPosition {
  readonly position: Position;
  readonly ready: Ready;
}

const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** Returns where the stream begins. Throws InputError or ResourceExpired if the request cannot be met. */
export async function startPosition(
  events: EventLog,
  { lastEventId, from }: StartRequest,
): Promise<StartPosition> {
  if (lastEventId !== undefined && lastEventId !== "") return resume(events, lastEventId);
  if (from === undefined || from === "") return complete(await events.positionNow());
  if (from === "start") return complete(await events.positionStart());
  if (time.test(from)) return since(events, from);
  if (!/^\d\./.test(from))
    throw new ApiError(
      "InputError",
      `from=${JSON.stringify(from)} is neither a position (the id of an event), nor a time such as ` +
        `2026-01-31T12:00:00Z, nor "start".`,
    );
  const position = decodePosition(from);
  // Throws if the position cannot be used.
  await events.read(position, 1);
  return complete(position);
}

const complete = (position: Position): StartPosition => ({
  position,
  ready: { position: encodePosition(position), complete: true },
});

/**
 * Continues an interrupted stream. Browsers reconnect by themselves but stop at an error, so if the position cannot be
 * continued, the stream begins with the oldest event and a notice.
 */
async function resume(events: EventLog, lastEventId: string): Promise<StartPosition> {
  const position = decodePosition(lastEventId);
  try {
    await events.read(position, 1);
    return complete(position);
  } catch (err) {
    if (!(err instanceof UnusablePosition)) throw err;
    return incomplete(
      await events.positionStart(),
      err.reason === "dropped"
        ? "Some events after the last event id are no longer kept: this stream begins with the oldest one."
        : "The last event id is from another installation: this stream begins with the oldest event of this one.",
    );
  }
}

async function since(events: EventLog, text: string): Promise<StartPosition> {
  const date = new Date(text);
  if (Number.isNaN(date.getTime()))
    throw new ApiError(
      "InputError",
      `from=${text} is not a valid time: send one such as 2026-01-31T12:00:00Z.`,
    );
  const { position, complete: isComplete } = await events.positionAt(date);
  if (isComplete) return complete(position);
  return incomplete(
    position,
    "Some events since that time are no longer kept: this stream begins with the oldest one.",
  );
}

const incomplete = (position: Position, notice: string): StartPosition => ({
  position,
  ready: { position: encodePosition(position), complete: false, notice },
});
