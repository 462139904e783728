// A single call of a method: the request, its retries, and the interpretation of the reply.
import type { Backoff } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { retry, TimeoutError, withTimeout } from "../lib/retry.ts";
import { ClientError, noAnswer, refusal, timedOut } from "./client-error.ts";
import type { Signer } from "./signer.ts";

/** What the client reads of a reply: the global `Response` has it. */
export type Reply = Pick<Response, "status" | "statusText" | "ok" | "type" | "body" | "text"> & {
  readonly headers: Pick<Headers, "get">;
};

/** Sends a request, as the global `fetch` does. */
export type Fetch = (url: string, init: RequestInit) => Promise<Reply>;

/** The configuration that all calls of a client share. */
export interface Transport {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly signer: Signer | undefined;
  readonly retries: number;
  readonly timeoutMs: number;
}

export interface Request {
  /** The name for error messages, such as `queue.createTask`. */
  readonly name: string;
  readonly method: string;
  readonly url: string;
  /** Sent as JSON. No body is sent for `undefined`. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly retries?: number | undefined;
}

export const callBackoff: Backoff = { baseMs: 100, maxMs: 30_000, jitter: 0.25 };

/**
 * Calls the method and resolves to the JSON of the reply, or `undefined` if it has none. Redirects count as replies.
 * Rejects with a `ClientError`, or with the reason of the caller's signal. Retries missing answers and 5xx replies.
 */
export function call(transport: Transport, request: Request): Promise<unknown> {
  const { clock } = transport;
  const { retries = transport.retries, signal } = request;
  let retryAfterMs = 0;
  // A server may request more time, but not more than our own longest delay: the caller waits too.
  const minMs = (): number => Math.min(retryAfterMs, callBackoff.maxMs);
  const delay = { clock, backoff: callBackoff, minMs };
  return retry({ tries: retries + 1, retryable: isPassing, delay, signal }, async () => {
    retryAfterMs = 0;
    const { response, text } = await send(transport, request);
    if (response.status === 503) retryAfterMs = retryAfter(response, clock.now()) ?? 0;
    return resultOf(request, response, text);
  });
}

/** Reports whether another try may succeed: no answer arrived, or the server failed. */
const isPassing = (error: unknown): boolean =>
  error instanceof ClientError && (error.statusCode === undefined || error.statusCode >= 500);

async function send(
  transport: Transport,
  request: Request,
): Promise<{ readonly response: Reply; readonly text: string }> {
  const { name, method, url, signal } = request;
  const { clock, signer } = transport;
  const ms = request.timeoutMs ?? transport.timeoutMs;
  // Signed again for each try: the signature includes the time.
  const authorization = await signer?.header(method, url, clock.now());
  const headers = {
    ...(authorization !== undefined && { authorization }),
    ...(request.body !== undefined && { "content-type": "application/json" }),
  };
  const body = request.body === undefined ? null : JSON.stringify(request.body);
  try {
    return await withTimeout({ clock, ms, signal, what: name }, async (limited) => {
      const options = { method, headers, body, redirect: "manual", signal: limited } as const;
      const response = await transport.fetch(url, options);
      return { response, text: await response.text() };
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof TimeoutError ? timedOut(name, url, ms) : noAnswer(name, url, error);
  }
}

/** Returns the JSON of a reply, or throws the error that it represents. */
function resultOf({ name, url }: Request, response: Reply, text: string): unknown {
  if (response.type === "opaqueredirect") {
    // Browsers hide everything about a redirect from scripts.
    throw new Error(
      `${name} replied with a redirect, which browsers hide: call the method that replies with JSON`,
    );
  }
  const json = jsonOf(response, text);
  if (response.status >= 400) throw refusal(name, response, json);
  // A truncated reply counts as no answer.
  if (json instanceof SyntaxError) throw noAnswer(name, url, json);
  return json;
}

/**
 * Returns the parsed JSON of a body, or the SyntaxError in it. Ignores bodies of other content types, such as the HTML
 * pages of proxies.
 */
export function jsonOf(response: Reply, text: string): unknown {
  const type = response.headers.get("content-type") ?? "";
  if (text === "" || !/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}

/** Returns the delay of the Retry-After header, seconds or a date, in milliseconds. */
function retryAfter(response: Reply, now: number): number | undefined {
  const text = response.headers.get("retry-after")?.trim() ?? "";
  if (text === "") return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
