// The one error that calls reject with.

/** What is known of a call that did not work. */
export interface Failure {
  /** The method that was called, such as `queue.createTask`. */
  readonly method: string;
  /** The HTTP status; absent where no answer came. */
  readonly statusCode?: number | undefined;
  /** The code of the reply, such as `ResourceNotFound`; `NoAnswer` and `Timeout` where there was none. */
  readonly code: string;
  /** The reply's body as it came, where it was JSON. */
  readonly body?: unknown;
}

/**
 * A call that did not work: a refusal of the server, or no answer at all. `message` is the server's own, without the
 * technical lines after it.
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

/** The error that a reply of status 400 or more stands for. */
export function refusal(
  method: string,
  { status: statusCode, statusText }: Pick<Response, "status" | "statusText">,
  body: unknown,
): ClientError {
  const { code, message } = membersOf(body);
  const text = typeof message === "string" ? withoutTrailer(message) : "";
  return new ClientError(text || `${method} was answered with ${statusCode} ${statusText}`.trim(), {
    method,
    statusCode,
    code: typeof code === "string" ? code : `Status${statusCode}`,
    body,
  });
}

/** The error for a try that got no answer. */
export function noAnswer(method: string, url: string, cause: unknown): ClientError {
  const { origin } = new URL(url);
  return new ClientError(
    `no answer from ${origin} to ${method}: ${reasonOf(cause)}`,
    { method, code: "NoAnswer" },
    { cause },
  );
}

/** The error for a try that took too long. */
export function timedOut(method: string, url: string, timeoutMs: number): ClientError {
  const { origin } = new URL(url);
  return new ClientError(`no answer from ${origin} to ${method} within ${timeoutMs / 1000} s`, {
    method,
    code: "Timeout",
  });
}

function membersOf(body: unknown): { code?: unknown; message?: unknown } {
  return typeof body === "object" && body !== null ? body : {};
}

/** Replies end in a block of technical lines behind `---`, which the error's own members already say. */
const withoutTrailer = (message: string): string => message.split(/\n---(?:\n|$)/, 1)[0]?.trim() ?? "";

/** `fetch` says only "fetch failed"; the reason is in its cause, and where a name has several addresses, deeper. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error.cause !== undefined) return reasonOf(error.cause);
  return error.message || ("code" in error ? String(error.code) : error.name);
}
