// Where a stream begins: what the listener says about that, in its order of precedence.
import { ApiError } from "../../../lib/errors.ts";
import {
  decodePosition,
  encodePosition,
  UnusablePosition,
  type EventLog,
  type Position,
} from "../../core/event-log/index.ts";
import type { Ready } from "./stream.ts";

export interface Wish {
  /** The id of the last event that the listener had, from the header or the query. */
  readonly lastEventId?: string | undefined;
  readonly from?: string | undefined;
}

export interface Beginning {
  readonly position: Position;
  readonly ready: Ready;
}

const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** Throws InputError or ResourceExpired where the wish cannot be fulfilled. */
export async function beginningOf(events: EventLog, { lastEventId, from }: Wish): Promise<Beginning> {
  if (lastEventId !== undefined && lastEventId !== "") return resume(events, lastEventId);
  if (from === undefined || from === "") return whole(await events.positionNow());
  if (from === "start") return whole(await events.positionStart());
  if (time.test(from)) return since(events, from);
  if (!/^\d\./.test(from))
    throw new ApiError(
      "InputError",
      `from=${JSON.stringify(from)} is neither a position (the id of an event), nor a time such as ` +
        `2026-01-31T12:00:00Z, nor "start".`,
    );
  const position = decodePosition(from);
  // One event is read, for the errors.
  await events.read(position, 1);
  return whole(position);
}

const whole = (position: Position): Beginning => ({
  position,
  ready: { position: encodePosition(position), complete: true },
});

/**
 * Goes on where a stream broke off. A browser comes back by itself and would take an error for the end: where
 * it cannot go on, it gets what there is, and a notice.
 */
async function resume(events: EventLog, lastEventId: string): Promise<Beginning> {
  const position = decodePosition(lastEventId);
  try {
    await events.read(position, 1);
    return whole(position);
  } catch (err) {
    if (!(err instanceof UnusablePosition)) throw err;
    return incomplete(
      await events.positionStart(),
      err.reason === "dropped"
        ? "The events after the last event id are no longer all kept: this stream begins with the oldest one."
        : "The last event id is of another installation: this stream begins with the oldest event of this one.",
    );
  }
}

async function since(events: EventLog, text: string): Promise<Beginning> {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new ApiError("InputError", `from=${text} is no time that exists.`);
  const { position, complete } = await events.positionAt(date);
  if (complete) return whole(position);
  return incomplete(
    position,
    "Some events since that time are no longer kept: this stream begins with the oldest one.",
  );
}

const incomplete = (position: Position, notice: string): Beginning => ({
  position,
  ready: { position: encodePosition(position), complete: false, notice },
});
