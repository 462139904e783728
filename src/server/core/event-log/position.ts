// Where a reader stands in the event log, and the opaque text that stands for it outside.
import { crc32 } from "node:zlib";
import { ApiError } from "../../../lib/errors.ts";

/**
 * A moment of the log, as one snapshot of the database saw it: every event with an id up to `lastId`, except those
 * of the transactions `inFlight`, which had not ended. Read only moments that were taken by `readHere` or `readPage`
 * of store.ts: that nothing is missing from a mark rests on the order in which they look.
 */
export interface Mark {
  /** The cluster that the transaction ids belong to; see the migration 0001-event-log.sql. */
  readonly epoch: number;
  readonly lastId: number;
  /** Transaction ids, ascending. */
  readonly inFlight: readonly number[];
}

/** What a reader has had: everything of `done`, and of a window begun after it what the cursor has passed. */
export interface Position {
  /** The log's tag: positions of one installation mean nothing in another. */
  readonly log: number;
  readonly done: Mark;
  /** The events of `until` that are not of `done`, in the order of their ids, up to and including `cursor`. */
  readonly window?: { readonly until: Mark; readonly cursor: number };
}

const version = "1";
const form = /^1\.[A-Za-z0-9_-]+(\.[0-9a-z]{1,11})?\.[A-Za-z0-9_-]{6}$/;
// Hundreds of transactions in flight are far below this; a header or URL longer than that is not ours.
const maxLength = 8_000;

/** A short text that is safe in URLs, headers and SSE ids; typically 20 to 50 characters. */
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

/** Reads what `encodePosition` wrote; throws InputError for anything else, a text cut short included. */
export function decodePosition(text: string): Position {
  if (!text.startsWith(`${version}.`) && /^[2-9]\./.test(text))
    throw unreadable(text, "was made by a newer version of Taskyard, so this one cannot read it");
  if (text.length > maxLength || !form.test(text)) throw unreadable(text, "does not have the form of one");
  const end = text.lastIndexOf(".");
  if (text.slice(end + 1) !== check(text.slice(0, end)))
    throw unreadable(text, "was changed or cut short on its way");
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
      `Pass on the id of an event exactly as it came, or leave the position out to begin now.`,
  );
}

/** A checksum, not a signature: a made-up position shows nobody more than the log shows them anyway. */
function check(text: string): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(text));
  return sum.toString("base64url");
}

function putMark(bytes: number[], mark: Mark): void {
  putNumber(bytes, mark.epoch);
  putNumber(bytes, mark.lastId);
  putNumber(bytes, mark.inFlight.length);
  // Transactions in flight are close together, so their distances are short.
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

/** Seven bits a byte, the lowest first. Divisions and not shifts, since ids outgrow 32 bits. */
function putNumber(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}

function takeNumber(reversed: number[]): number {
  let value = 0;
  for (let unit = 1; ; unit *= 128) {
    // The checksum was right, so whoever made a text that ends here did it by hand.
    const byte = reversed.pop() ?? 0;
    value += (byte % 128) * unit;
    if (byte < 128) return value;
  }
}
