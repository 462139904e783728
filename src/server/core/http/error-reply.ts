// Sends errors in the format that Taskcluster's clients parse and print.
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "../../../lib/errors.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Endpoint } from "../../../api/endpoint.ts";
import { isTooLongForIndex, isUnstorableJson, isUnstorableText } from "../db-errors.ts";
import type { Monitor } from "../monitor.ts";
import { jsonBody, type JsonBody } from "./body.ts";
import { pathParameters } from "./path-parameters.ts";
import { retryAfter } from "./retry-after.ts";

/**
 * Converts any thrown value to an error that may be shown to the caller. Unexpected errors get an incident id. `request` is
 * that of a method: without a body, it is not the reason of a fault of JSON.
 */
export function toApiError(err: unknown, monitor: Monitor, request?: FastifyRequest): ApiError {
  if (err instanceof ApiError) return err;
  const hasBody = request !== undefined && jsonBody(request) !== undefined;
  if (isUnstorableText(err) || (hasBody && isUnstorableJson(err)))
    return new ApiError(
      "InputError",
      "The request contains a text that cannot be stored, with a NUL character or half of a surrogate pair: remove the character.",
      { cause: err },
    );
  if (isTooLongForIndex(err))
    return new ApiError(
      "InputError",
      "The request contains an id or name that is too long to be stored: use at most 2,000 characters.",
      { cause: err },
    );
  const incidentId = monitor.reportError(err);
  return new ApiError(
    "InternalServerError",
    `Internal Server Error, incidentId ${incidentId}. The log of the server has the cause under this id: send it to the operator.`,
    {
      cause: err,
    },
  );
}

/**
 * Does the same for errors that the framework throws before a handler runs. Their status code distinguishes the caller's
 * mistakes. `bodyLimit` is the route's limit in bytes.
 */
export function frameworkError(err: unknown, monitor: Monitor, bodyLimit: number): ApiError {
  if (err instanceof ApiError || !(err instanceof Error)) return toApiError(err, monitor);
  const { code, statusCode = 500 }: Partial<FastifyError> = err;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE")
    return new ApiError("InputTooLarge", `The request body is larger than the limit of ${bodyLimit} bytes.`);
  if (statusCode >= 500) return toApiError(err, monitor);
  return new ApiError(
    "MalformedPayload",
    `The request body cannot be read: ${err.message}. Send JSON, with the Content-Length of the body.`,
    { cause: err },
  );
}

/** Sends an error with the standard body. */
export function sendError(
  error: ApiError,
  request: FastifyRequest,
  reply: FastifyReply,
  of: Endpoint | undefined,
  clock: Clock,
): FastifyReply {
  const time = new Date(clock.now()).toISOString();
  const method = of?.name ?? request.url;
  if (error.statusCode === 401) reply.header("www-authenticate", "hawk");
  const seconds = retryAfter(error);
  if (seconds !== undefined) reply.header("retry-after", seconds);
  const message =
    `${error.message}\n\n---\n\n` +
    `* method:     ${method}\n* errorCode:  ${error.code}\n` +
    `* statusCode: ${error.statusCode}\n* time:       ${time}`;
  return reply
    .code(error.statusCode)
    .header("content-type", "application/json; charset=utf-8")
    .send(
      JSON.stringify({
        code: error.code,
        message,
        ...(error.details && { details: error.details }),
        requestInfo: {
          method,
          params: pathParameters(request, of),
          payload: echoed(jsonBody(request), of),
          time,
        },
      }),
    );
}

/** Longer bodies are not echoed, in characters: the caller has them, and a reply must not cost more than its request. */
const MAX_ECHOED = 10_000;

const OMITTED = "(OMITTED)";

function echoed(body: JsonBody | undefined, of: Endpoint | undefined): unknown {
  if (body === undefined) return {};
  if (body.text.length > MAX_ECHOED) return OMITTED;
  return of?.secretMembers === undefined ? body.value : withoutSecrets(body.value, of);
}

/** Omits the secret members, and what the contract does not declare: it may be a secret under a misspelled name. */
function withoutSecrets(payload: unknown, { body, secretMembers = [] }: Endpoint): unknown {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) return OMITTED;
  const { properties = {} }: { properties?: Readonly<Record<string, unknown>> } = body?.schema ?? {};
  const isShown = (name: string): boolean => Object.hasOwn(properties, name) && !secretMembers.includes(name);
  return Object.fromEntries(
    Object.entries(payload).map(([name, value]) => [name, isShown(name) ? value : OMITTED]),
  );
}
