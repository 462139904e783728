// What a handler can return besides a plain value and JSON text.
import type { Readable } from "node:stream";

export interface ReplyOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the body has the shape that the contract declares. By default only that of a reply with status 200 has. */
  readonly followsSchema?: boolean;
}

/** A reply with a status, headers or another shape than the contract declares. The body is JSON. */
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

/** A reply that is streamed. Its length is not known in advance. */
export class StreamReply {
  readonly body: Readable;
  readonly headers: Readonly<Record<string, string>>;
  constructor(body: Readable, headers: Readonly<Record<string, string>>) {
    this.body = body;
    this.headers = headers;
  }
}
