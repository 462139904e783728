// The forms that a handler's answer can take beside a plain object.
import type { Readable } from "node:stream";

/** JSON that is text already: the database built it, and nobody here has to read it. */
export class RawJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** `{}`, as claimTask answers a worker in quarantine: clients know it, though the reply's schema says otherwise. */
export const NO_CLAIM: RawJson = new RawJson("{}");

/** An answer with a status or headers of its own. The body is JSON. */
export class Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** An answer that is sent as it comes, without an end that is known before. */
export class StreamReply {
  readonly body: Readable;
  readonly headers: Readonly<Record<string, string>>;
  constructor(body: Readable, headers: Readonly<Record<string, string>>) {
    this.body = body;
    this.headers = headers;
  }
}
