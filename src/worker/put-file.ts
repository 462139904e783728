// Uploads one file to a URL that the queue gave for it, in one PUT of known length.
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface PutFile {
  readonly url: string;
  /** Without Content-Length, which is `size`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly size: number;
  open(): Readable;
  readonly signal: AbortSignal;
}

// A connection that moves no byte for this long is dead; a slow one may take as long as it needs.
const idleLimitMs = 60_000;
const replyLimit = 8 * 1024;

/**
 * One try. Answers the status, the ETag and the beginning of the reply's text; rejects where no answer came.
 * node:http and not fetch: fetch sends streams chunked, which object stores refuse.
 */
export async function putFile(
  file: PutFile,
): Promise<{ status: number; etag: string | undefined; text: string }> {
  const url = new URL(file.url);
  const open = url.protocol === "https:" ? httpsRequest : httpRequest;
  const body = file.open();
  const request = open(url, {
    method: "PUT",
    headers: { ...file.headers, "content-length": String(file.size) },
    signal: file.signal,
  });
  request.setTimeout(idleLimitMs, () =>
    request.destroy(new Error(`the upload stood still for ${idleLimitMs / 1000} s`)),
  );
  const answered = responseOf(request);
  // A server may refuse before it has read all; its answer then counts, not the broken pipe.
  const sent = pipeline(body, request).catch(() => undefined);
  const response = await answered;
  try {
    const { statusCode = 0, headers } = response;
    return { status: statusCode, etag: headers.etag, text: await beginning(response) };
  } finally {
    if (!request.writableFinished) request.destroy();
    await sent;
  }
}

function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => request.once("response", resolve).once("error", reject));
}

async function beginning(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  // The rest is read and dropped, so that the connection can be used again.
  for await (const chunk of response) if (text.length < replyLimit) text += String(chunk);
  return text.slice(0, replyLimit);
}
