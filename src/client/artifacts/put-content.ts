// Sends one PUT to an artifact store, in Node and in browsers, and reports the bytes as they are sent.
import type { Clock } from "../../lib/clock.ts";
import type { Fetch } from "../call.ts";
import type { Digest } from "./digest.ts";
import { limitIdle, type IdleLimit } from "./idle-limit.ts";
import { readBlob } from "./read-blob.ts";

export interface PutContent {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly url: string;
  /** Without Content-Length, which is set from the size of the content. */
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Blob;
  /** Updated with the content, if it is needed. */
  readonly digest?: Digest;
  readonly signal: AbortSignal | undefined;
  /** Called with the number of bytes that have been sent so far. */
  onSent(bytes: number): void;
}

export interface PutReply {
  readonly status: number;
  readonly etag: string | undefined;
  readonly text: string;
}

const isNode = globalThis.process?.getBuiltinModule !== undefined;

/** Sends the PUT without retries. Rejects if there is no reply. */
export async function putContent(put: PutContent): Promise<PutReply> {
  const limit = limitIdle(put.clock, put.signal);
  try {
    return await (isNode ? putStream : putBlob)(put, limit);
  } finally {
    limit.end();
  }
}

/**
 * Sends a stream of known length. Browsers send streams in chunks, which stores refuse. Node sends the length that the header
 * states.
 */
async function putStream(put: PutContent, limit: IdleLimit): Promise<PutReply> {
  let sent = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      put.digest?.update(chunk);
      sent += chunk.length;
      limit.progress();
      put.onSent(sent);
      controller.enqueue(chunk);
    },
  });
  const init = {
    method: "PUT",
    headers: { ...put.headers, "content-length": String(put.content.size) },
    body: put.content.stream().pipeThrough(count),
    duplex: "half" as const,
    signal: limit.signal,
  };
  const response = await put.fetch(put.url, init);
  const etag = response.headers.get("etag") ?? undefined;
  return { status: response.status, etag, text: await response.text() };
}

/** What this file uses of the `XMLHttpRequest` of browsers, whose types are not those of Node. */
interface UploadRequest {
  readonly status: number;
  readonly responseText: string;
  readonly upload: {
    addEventListener(type: "progress", listener: (event: { readonly loaded: number }) => void): void;
  };
  addEventListener(type: "load" | "error", listener: () => void): void;
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  getResponseHeader(name: string): string | null;
  send(body: Blob): void;
  abort(): void;
}

/** Sends a blob. Only `XMLHttpRequest` reports progress; service workers do not have it. */
async function putBlob(put: PutContent, limit: IdleLimit): Promise<PutReply> {
  const { url, headers, content, fetch, digest, onSent } = put;
  if (digest)
    await readBlob(content, limit.signal, (bytes) => {
      digest.update(bytes);
      limit.progress();
    });
  // Only browsers have it.
  const { XMLHttpRequest: Request } = globalThis as { XMLHttpRequest?: new () => UploadRequest };
  if (Request === undefined) {
    const response = await fetch(url, { method: "PUT", headers, body: content, signal: limit.signal });
    onSent(content.size);
    const etag = response.headers.get("etag") ?? undefined;
    return { status: response.status, etag, text: await response.text() };
  }
  const request = new Request();
  return new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", ({ loaded }) => {
      limit.progress();
      onSent(loaded);
    });
    request.addEventListener("load", () => {
      const etag = request.getResponseHeader("etag") ?? undefined;
      resolve({ status: request.status, etag, text: request.responseText });
    });
    request.addEventListener("error", () =>
      reject(
        new Error("the browser could not send the content: check that the page reaches the artifact store"),
      ),
    );
    limit.signal.addEventListener("abort", () => {
      request.abort();
      reject(limit.signal.reason as Error);
    });
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(content);
  });
}
