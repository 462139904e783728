// Uploads one file to an upload URL, in one PUT of known length.
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Dispatcher } from "undici";
import { proxyDispatcher } from "../lib/proxy.ts";
import { UnreadableFileError } from "./unreadable-file-error.ts";

export interface PutFile {
  readonly url: string;
  /** Without Content-Length, which is set from `size`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly size: number;
  open(): Readable;
  readonly signal: AbortSignal;
}

export interface PutReply {
  readonly status: number;
  readonly etag: string | undefined;
  /** The start of the body. */
  readonly text: string;
}

// A connection that transfers no byte for this long is dead. A slow one may take as long as it needs.
const idleLimitMs = 60_000;
const maxReplyCharacters = 8 * 1024;

/**
 * Sends one PUT without retries. Returns the status, the ETag and the start of the reply's body. Rejects if there is no
 * reply, with UnreadableFileError if the file cannot be read. Uses node:http because fetch needs 1.7 times its CPU for the small
 * uploads that every task has.
 */
export async function putFile(file: PutFile): Promise<PutReply> {
  const dispatcher = proxyDispatcher();
  if (dispatcher) return putThrough(dispatcher, file);
  const url = new URL(file.url);
  const open = url.protocol === "https:" ? httpsRequest : httpRequest;
  const body = file.open();
  let unreadable: UnreadableFileError | undefined;
  body.once("error", (error) => {
    if (error instanceof UnreadableFileError) unreadable = error;
  });
  const request = open(url, {
    method: "PUT",
    headers: { ...file.headers, "content-length": String(file.size) },
    signal: file.signal,
  });
  request.setTimeout(idleLimitMs, () =>
    request.destroy(
      new Error(
        `the upload was idle for ${idleLimitMs / 1000} s: check the network between worker and store`,
      ),
    ),
  );
  const replied = responseOf(request);
  // A server may refuse before it has read the whole body. Its reply then decides, not the broken pipe.
  const sent = pipeline(body, request).catch(() => undefined);
  const response = await replied.catch((error: unknown) => {
    // Without its body the request ends with "socket hang up", which looks like a fault of the connection.
    throw unreadable ?? error;
  });
  try {
    const { statusCode = 0, headers } = response;
    return { status: statusCode, etag: headers.etag, text: await startOfBody(response) };
  } finally {
    if (!request.writableFinished) request.destroy();
    await sent;
  }
}

/** Sends it through a proxy, for which node:http would need another package. */
async function putThrough(
  dispatcher: Dispatcher,
  { url, headers, size, open, signal }: PutFile,
): Promise<PutReply> {
  const { origin, pathname, search } = new URL(url);
  const response = await dispatcher.request({
    origin,
    path: pathname + search,
    method: "PUT",
    headers: { ...headers, "content-length": String(size) },
    body: open(),
    headersTimeout: idleLimitMs,
    bodyTimeout: idleLimitMs,
    signal,
  });
  const { etag } = response.headers;
  const text = await startOfBody(response.body);
  return { status: response.statusCode, etag: typeof etag === "string" ? etag : undefined, text };
}

function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => request.once("response", resolve).once("error", reject));
}

async function startOfBody(response: Readable): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  // The rest is read and discarded, so that the connection can be reused.
  for await (const chunk of response) if (text.length < maxReplyCharacters) text += String(chunk);
  return text.slice(0, maxReplyCharacters);
}
