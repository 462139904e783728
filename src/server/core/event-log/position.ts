// Positions of readers in the event log, and their encoding as opaque text for clients.
import { crc32 } from "node:zlib";
import { ApiError } from "../../../lib/errors.ts";

/**
 * The events that one snapshot of the database contains: every event with an id up to `lastId`, except those of the
 * transactions `inFlight`, which had not ended. Use only marks that `readHere` or `readPage` of store.ts returned: a mark
 * is complete only because of the order of their reads.
 */
export interface Mark {
  /** Identifies the cluster that the transaction ids belong to, see the migration 0001-event-log.sql. */
  readonly epoch: number;
  readonly lastId: number;
  /** Transaction ids, ascending. */
  readonly inFlight: readonly number[];
}

/** The events that a reader has received: all of `done`, and those of the window up to its cursor. */
export interface Position {
  /** The tag of the log: a position of one installation has no meaning in another. */
  readonly log: number;
  readonly done: Mark;
  /** A window that is partly read: the events of `until` that are not in `done`, by id, up to and including `cursor`. */
  readonly window?: { readonly until: Mark; readonly cursor: number };
}

const version = "1";
const form = /^1\.[A-Za-z0-9_-]+(\.[0-9a-z]{1,11})?\.[A-Za-z0-9_-]{6}$/;
// Positions with hundreds of transactions in flight are far shorter. A longer header or URL is not from this server.
const maxLength = 8_000;

/** Encodes a position as text that is safe in URLs, headers and SSE ids, typically 20 to 50 characters. */
export function encodePosition({ log, done, window }: Position): string {
  const bytes: number[] = [];
  putNumber(bytes, log);
  putMark(bytes, done);
  let text = version;
  if (window) putMark(bytes, window.until);
  text += `.${Buffer.from(bytes).toString("base64url")}`;
  if (window) text += `.${window.cursor.toString(36)}`;
  return `${text}.${check(text)}`;
}

/** Decodes the text of `encodePosition`. Throws an InputError for any other text, including a truncated one. */
export function decodePosition(text: string): Position {
  if (!text.startsWith(`${version}.`) && /^[2-9]\./.test(text))
    throw unreadable(text, "was made by a newer version of Taskyard, so this one cannot read it");
  if (text.length > maxLength || !form.test(text)) throw unreadable(text, "is malformed");
  const end = text.lastIndexOf(".");
  if (text.slice(end + 1) !== check(text.slice(0, end))) throw unreadable(text, "was changed or truncated");
  const [, marks = "", cursor] = text.slice(0, end).split(".");
  const bytes = [...Buffer.from(marks, "base64url")].reverse();
  const log = takeNumber(bytes);
  const done = takeMark(bytes);
  if (cursor === undefined) return { log, done };
  return { log, done, window: { until: takeMark(bytes), cursor: Number.parseInt(cursor, 36) } };
}

function unreadable(text: string, why: string): ApiError {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new ApiError(
    "InputError",
    `The position ${JSON.stringify(shown)} ${why}. ` +
      `Pass the id of an event exactly as it was received, or omit the position to begin now.`,
  );
}

/** A checksum, not a signature: a forged position reveals nothing that the log does not show anyway. */
function check(text: string): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(text));
  return sum.toString("base64url");
}

function putMark(bytes: number[], mark: Mark): void {
  putNumber(bytes, mark.epoch);
  putNumber(bytes, mark.lastId);
  putNumber(bytes, mark.inFlight.length);
  // Transaction ids in flight are close together, so their differences are short.
  let before = 0;
  for (const xid of mark.inFlight) {
    putNumber(bytes, xid - before);
    before = xid;
  }
}

function takeMark(reversed: number[]): Mark {
  const epoch = takeNumber(reversed);
  const lastId = takeNumber(reversed);
  const inFlight: number[] = [];
  for (let left = takeNumber(reversed), xid = 0; left > 0; left--) {
    xid += takeNumber(reversed);
    inFlight.push(xid);
  }
  return { epoch, lastId, inFlight };
}

/** Appends a number as seven bits per byte, lowest first. Uses divisions and not shifts, because ids exceed 32 bits. */
function putNumber(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}

function takeNumber(reversed: number[]): number {
  let value = 0;
  for (let unit = 1; ; unit *= 128) {
    // The checksum was correct, so a text that ends too early was made by hand.
    const byte = reversed.pop() ?? 0;
    value += (byte % 128) * unit;
    if (byte < 128) return value;
  }
}
