// The error that calls reject with.

/** The details of a failed call. */
export interface Failure {
  /** The called method, such as `queue.createTask`. */
  readonly method: string;
  /** The HTTP status. Absent if there was no answer. */
  readonly statusCode?: number | undefined;
  /** The code of the reply, such as `ResourceNotFound`. `NoAnswer` or `Timeout` if there was none. */
  readonly code: string;
  /** The parsed body of the reply, if it was JSON. */
  readonly body?: unknown;
}

/**
 * A call failed: the server refused it, or there was no answer. `message` is the message of the server without its
 * technical details.
 */
export class ClientError extends Error {
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
}

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
