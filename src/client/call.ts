// One call of one method: request, retries, and what the answer means.
import type { Clock } from "../lib/clock.ts";
import { noAnswer, refusal, timedOut } from "./client-error.ts";
import { retrying, within, type Attempt } from "./retry.ts";
import type { Signer } from "./signer.ts";

/** What all calls of a client share. */
export interface Transport {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly signer: Signer | undefined;
  readonly retries: number;
  readonly timeoutMs: number;
}

export interface Request {
  /** `queue.createTask`, for messages. */
  readonly name: string;
  readonly method: string;
  readonly url: string;
  /** Sent as JSON; nothing is sent for `undefined`. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly retries?: number | undefined;
}

/**
 * Calls and resolves to the JSON of the reply, `undefined` where it has none. Redirects are replies like others.
 * Rejects with a `ClientError`, or with the reason of the caller's signal. No answer and 5xx are tried again.
 */
export function call(transport: Transport, request: Request): Promise<unknown> {
  const { clock, retries } = transport;
  const policy = { clock, retries: request.retries ?? retries, signal: request.signal };
  return retrying(policy, () => attempt(transport, request));
}

async function attempt(transport: Transport, request: Request): Promise<Attempt<unknown>> {
  const { name, method, url, signal } = request;
  const { clock, signer } = transport;
  const timeoutMs = request.timeoutMs ?? transport.timeoutMs;
  // Signed anew for each try: the time of signing counts.
  const authorization = await signer?.header(method, url, clock.now());
  const headers = {
    ...(authorization !== undefined && { authorization }),
    ...(request.body !== undefined && { "content-type": "application/json" }),
  };
  const body = request.body === undefined ? null : JSON.stringify(request.body);

  const result = await within(clock, timeoutMs, signal, async (limited) => {
    const response = await transport.fetch(url, {
      method,
      headers,
      body,
      redirect: "manual",
      signal: limited,
    });
    return { response, text: await response.text() };
  });
  if ("error" in result) {
    signal?.throwIfAborted();
    const error = result.timedOut ? timedOut(name, url, timeoutMs) : noAnswer(name, url, result.error);
    return { error, again: true };
  }

  const { response, text } = result.value;
  if (response.type === "opaqueredirect") {
    // A browser shows scripts nothing of a redirect.
    const error = new Error(
      `${name} answered with a redirect, which browsers hide: call the method that answers with JSON`,
    );
    return { error, again: false };
  }
  const json = jsonOf(response, text);
  // A reply that breaks off is no answer.
  if (response.status < 400 && json instanceof SyntaxError)
    return { error: noAnswer(name, url, json), again: true };
  if (response.status < 400) return { value: json };
  return {
    error: refusal(name, response, json),
    again: response.status >= 500,
    afterMs: response.status === 503 ? retryAfter(response, clock.now()) : undefined,
  };
}

/**
 * The JSON of a body, or the SyntaxError in it. Bodies that do not call themselves JSON are not looked at: proxies answer
 * in HTML.
 */
export function jsonOf(response: Response, text: string): unknown {
  const type = response.headers.get("content-type") ?? "";
  if (text === "" || !/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}

/** Milliseconds until a server that is busy wants to be asked again: seconds, or a date. */
function retryAfter(response: Response, now: number): number | undefined {
  const text = response.headers.get("retry-after")?.trim() ?? "";
  if (text === "") return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
