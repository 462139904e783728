// Requests as no proper client would send them, signed or not.
import { createSigner, type Credentials } from "../../src/client/signer.ts";

export interface RawRequest {
  readonly method: string;
  /** From the root on, as it is. */
  readonly path: string;
  /** Sent as it is, as JSON unless the headers say otherwise. */
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: nobody. */
  readonly credentials?: Credentials | undefined;
  readonly authorizedScopes?: readonly string[] | undefined;
  /** When it is signed, in milliseconds since the epoch; default: now. */
  readonly now?: number | undefined;
}

export interface RawReply {
  readonly status: number;
  /** The code of a refusal. */
  readonly code: string | undefined;
  /** The text of a refusal, without the technical lines. */
  readonly message: string;
  /** The JSON of the body, where it has one. */
  readonly body: unknown;
  readonly headers: Headers;
}

/** Sends a request and reads its reply, whatever it is. */
export async function rawCall(rootUrl: string, request: RawRequest): Promise<RawReply> {
  const { method, path, body, credentials, authorizedScopes, now = Date.now() } = request;
  const url = rootUrl + path;
  const signer = credentials && createSigner(credentials, authorizedScopes);
  const authorization = await signer?.header(method, url, now);
  const reply = await fetch(url, {
    method,
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(authorization !== undefined && { authorization }),
      ...request.headers,
    },
    body: body ?? null,
    redirect: "manual",
  });
  const text = await reply.text();
  const parsed: unknown = text === "" ? undefined : JSON.parse(text);
  // Whatever has no such members has undefined ones.
  const { code, message = "" } = (parsed ?? {}) as { code?: string; message?: string };
  return {
    status: reply.status,
    code,
    message: message.split("\n\n---\n")[0] ?? "",
    body: parsed,
    headers: reply.headers,
  };
}
