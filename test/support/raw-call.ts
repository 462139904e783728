// Sends arbitrary requests, including ones that no correct client would send, signed or unsigned.
import { createSigner, type Credentials } from "../../src/client/signer.ts";
import { fastFetch } from "./fast-fetch.ts";

export interface RawRequest {
  readonly method: string;
  /** The whole path, sent unchanged. */
  readonly path: string;
  /** Sent unchanged, as JSON unless the headers contain another content type. */
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: anonymous. */
  readonly credentials?: Credentials | undefined;
  readonly authorizedScopes?: readonly string[] | undefined;
  /** The time of the signature, in milliseconds since the epoch. Default: now. */
  readonly now?: number | undefined;
}

export interface RawReply {
  readonly status: number;
  /** The error code. */
  readonly code: string | undefined;
  /** The error message, without the lines with technical details. */
  readonly message: string;
  /** The parsed JSON body, if any. */
  readonly body: unknown;
  readonly headers: Pick<Headers, "get">;
}

/** Sends a request and returns its reply, whatever the status. The body of the reply must be JSON, if there is one. */
export async function rawCall(rootUrl: string, request: RawRequest): Promise<RawReply> {
  const { status, text, headers } = await rawText(rootUrl, request);
  const parsed: unknown = text === "" ? undefined : JSON.parse(text);
  // Other replies lack these members, so they are undefined.
  const { code, message = "" } = (parsed ?? {}) as { code?: string; message?: string };
  return { status, code, message: message.split("\n\n---\n")[0] ?? "", body: parsed, headers };
}

/** Does the same for replies of any type. */
export async function rawText(
  rootUrl: string,
  request: RawRequest,
): Promise<Pick<RawReply, "status" | "headers"> & { readonly text: string }> {
  const { method, path, body, credentials, authorizedScopes, now = Date.now() } = request;
  const url = rootUrl + path;
  const signer = credentials && createSigner(credentials, authorizedScopes);
  const authorization = await signer?.header(method, url, now);
  const reply = await fastFetch(url, {
    method,
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(authorization !== undefined && { authorization }),
      ...request.headers,
    },
    body: body ?? null,
    redirect: "manual",
  });
  return { status: reply.status, text: await reply.text(), headers: reply.headers };
}
