// What a handler can return besides a plain value and JSON text.
import type { Readable } from "node:stream";

/** JSON that is text already: the database built it, and nobody here has to read it. */
export class RawJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export interface ReplyOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the body has the shape that the contract declares. By default only that of a reply with status 200 has. */
  readonly followsSchema?: boolean;
}

/** A reply with a status, headers or a shape of its own. The body is JSON. */
export class Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly followsSchema: boolean;
  constructor(
    status: number,
    body: unknown,
    { headers = {}, followsSchema = status === 200 }: ReplyOptions = {},
  ) {
    this.status = status;
    this.body = body;
    this.headers = headers;
    this.followsSchema = followsSchema;
  }
}

/** A reply that is sent as it is produced; its length is not known before. */
export class StreamReply {
  readonly body: Readable;
  readonly headers: Readonly<Record<string, string>>;
  constructor(body: Readable, headers: Readonly<Record<string, string>>) {
    this.body = body;
    this.headers = headers;
  }
}
