// The closed catalogue of API errors: codes and their statuses, and the one class that carries them.

/** Every error code that an API reply may carry, with its HTTP status. */
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
  TooManyRequests: 429,
  InternalServerError: 500,
  ServiceUnavailable: 503,
  InsufficientStorage: 507,
} as const;

/** One of the codes above. */
export type ErrorCode = keyof typeof errorStatus;

/**
 * A refusal meant for the caller of the API. `message` says what was wrong, where, and what would be right;
 * it is sent as it is.
 */
export class ApiError extends Error {
  readonly code: ErrorCode;
  /** For programs: what the message says, as data. Sent beside it. */
  readonly details: Readonly<Record<string, unknown>> | undefined;
  constructor(
    code: ErrorCode,
    message: string,
    options: ErrorOptions & { readonly details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options);
    this.name = "ApiError";
    this.code = code;
    this.details = options.details;
  }
  get statusCode(): number {
    return errorStatus[this.code];
  }
}
