// The closed catalog of API errors: codes with their HTTP statuses, and the class that carries them.

/** Every error code of the API, with its HTTP status. */
export const errorStatus = {
  MalformedPayload: 400,
  InvalidRequestArguments: 400,
  InputValidationError: 400,
  InputError: 400,
  AuthenticationFailed: 401,
  InsufficientScopes: 403,
  AccessDenied: 403,
  ResourceNotFound: 404,
  NoMatchingMethod: 406,
  RequestConflict: 409,
  ResourceExpired: 410,
  InputTooLarge: 413,
  RangeNotSatisfiable: 416,
  MisdirectedRequest: 421,
  TooManyRequests: 429,
  InternalServerError: 500,
  ServiceUnavailable: 503,
  InsufficientStorage: 507,
} as const;

export type ErrorCode = keyof typeof errorStatus;

/**
 * An error that is returned to the caller of the API. `message` states what is wrong, where, and what would be right.
 * It is sent verbatim.
 */
export class ApiError extends Error {
  readonly code: ErrorCode;
  /** The content of the message as data, for programs. Sent with it. */
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** How long the reason of a 429 or 503 is likely to last, if anything is known about it. Sent as Retry-After. */
  readonly retryAfterMs: number | undefined;
  constructor(
    code: ErrorCode,
    message: string,
    options: ErrorOptions & {
      readonly details?: Readonly<Record<string, unknown>>;
      readonly retryAfterMs?: number;
    } = {},
  ) {
    super(message, options);
    this.name = "ApiError";
    this.code = code;
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
  }
  get statusCode(): number {
    return errorStatus[this.code];
  }
}
