// The errors that calls reject with, typed by their codes.
import type { ErrorCode, errorStatus } from "../lib/errors.ts";

/** The body of an error reply. `details` has the content of the message as data, for some errors. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly requestInfo?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The codes of errors that the client itself reports, with what the body is. */
interface ClientCodes {
  /** No reply arrived. `cause` has the reason. */
  readonly NoAnswer: undefined;
  /** No reply arrived within the timeout. */
  readonly Timeout: undefined;
  /** The content of a download differs from its hash. */
  readonly HashMismatch: undefined;
  /** The artifact records why it has no content. */
  readonly NoContent: { readonly reason: string; readonly message: string };
  /** Requested events are no longer retained. */
  readonly EventsMissing: unknown;
  /** The server ended a stream of events. */
  readonly StreamError: unknown;
}

interface Failed<C extends string, S extends number | undefined, B> extends Error {
  readonly name: "ClientError";
  /** The called method, such as `queue.createTask`. */
  readonly method: string;
  /** The code of the reply, such as `ResourceNotFound`, or one of the client's own. */
  readonly code: C;
  /** The HTTP status. Absent if there was no answer. */
  readonly statusCode: S;
  /** The parsed body of the reply, if it was JSON. */
  readonly body: B;
}

/**
 * A call failed: the server refused it, or there was no answer. `message` is the message of the server without its
 * technical details. `switch (error.code)` narrows the status and the body. `Status418` is the code of a reply without one,
 * for example from a proxy. A newer server may send codes that this version does not have.
 */
export type ClientError =
  | { readonly [C in ErrorCode]: Failed<C, (typeof errorStatus)[C], ErrorBody> }[ErrorCode]
  | { readonly [C in keyof ClientCodes]: Failed<C, undefined, ClientCodes[C]> }[keyof ClientCodes]
  | Failed<`Status${number}`, number, unknown>;

/** The details of a failed call. */
export interface Failure {
  readonly method: string;
  readonly statusCode?: number | undefined;
  readonly code: string;
  readonly body?: unknown;
}

/** Inherits the static members of errors, such as `captureStackTrace`. */
interface ClientErrorClass extends Omit<ErrorConstructor, "prototype"> {
  new (message: string, failure: Failure, options?: ErrorOptions): ClientError;
  readonly prototype: ClientError;
}

// The class has one shape. Its type is the union, so that `instanceof ClientError` and then the code narrow an error. The
// compiler cannot check that a reply has the status and the body of its code.
export const ClientError = class extends Error {
  override readonly name = "ClientError";
  readonly method: string;
  readonly statusCode: number | undefined;
  readonly code: string;
  readonly body: unknown;
  constructor(message: string, failure: Failure, options?: ErrorOptions) {
    super(message, options);
    this.method = failure.method;
    this.statusCode = failure.statusCode;
    this.code = failure.code;
    this.body = failure.body;
  }
} as ClientErrorClass;

/** Returns the error for a reply with status 400 or higher. */
export function refusal(
  method: string,
  { status: statusCode, statusText }: Pick<Response, "status" | "statusText">,
  body: unknown,
): ClientError {
  const { code, message } = membersOf(body);
  const text = typeof message === "string" ? withoutTrailer(message) : "";
  return new ClientError(text || `${method} returned ${statusCode} ${statusText}`.trim(), {
    method,
    statusCode,
    code: typeof code === "string" ? code : `Status${statusCode}`,
    body,
  });
}

/** Returns the error for a try without an answer. */
export function noAnswer(method: string, url: string, cause: unknown): ClientError {
  const { origin } = new URL(url);
  return new ClientError(
    `no answer from ${origin} to ${method}: ${reasonOf(cause)}; check that a server runs there`,
    { method, code: "NoAnswer" },
    { cause },
  );
}

/** Returns the error for a try that timed out. */
export function timedOut(method: string, url: string, timeoutMs: number): ClientError {
  const { origin } = new URL(url);
  return new ClientError(
    `no answer from ${origin} to ${method} within ${timeoutMs / 1000} s; check that a server runs there, or try again later`,
    {
      method,
      code: "Timeout",
    },
  );
}

function membersOf(body: unknown): { code?: unknown; message?: unknown } {
  return typeof body === "object" && body !== null ? body : {};
}

/** Removes the block of technical details after `---`, which the members of the error contain as well. */
const withoutTrailer = (message: string): string => message.split(/\n---(?:\n|$)/, 1)[0]?.trim() ?? "";

/** Returns the innermost message: `fetch` fails with "fetch failed", and the reason is in its cause or further below. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error.cause !== undefined) return reasonOf(error.cause);
  return error.message || ("code" in error ? String(error.code) : error.name);
}
