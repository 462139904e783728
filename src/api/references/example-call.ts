// An example of a call of a method: a line for a shell, the body of the request and the reply.
import stringify from "json-stringify-pretty-compact";
import { InternalError } from "../../lib/internal-error.ts";
import { shellQuote } from "../../lib/shell-quote.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Service } from "../service.ts";
import { pathParameters } from "./api-reference.ts";
import { exampleOf } from "./example.ts";
import { exampleParam } from "./example-values.ts";

export interface ExampleCall {
  /** The call on the command line, which signs it. */
  readonly command: string;
  /** The body of the request as JSON text, if the method has one. */
  readonly request: string | undefined;
  /** The reply as JSON text, if the method has one. */
  readonly reply: string | undefined;
}

/** Returns the example of a method. Undefined for one that has neither a body nor a reply as JSON. */
export function exampleCall(service: Service, endpoint: Endpoint): ExampleCall | undefined {
  const { name, path, body, reply } = endpoint;
  const replySchema = reply === "blob" ? undefined : reply?.schema;
  if (!body && !replySchema) return undefined;
  const params = pathParameters(path).map(
    (param) => `${param.name}=${shellQuote(paramOf(service, param.name))}`,
  );
  const file = body ? ["--body", "request.json"] : [];
  return {
    command: ["taskyard", "call", `${service.name}.${name}`, ...params, ...file].join(" "),
    request: body && stringify(exampleOf(body.schema)),
    reply: replySchema && stringify(exampleOf(replySchema)),
  };
}

function paramOf({ name }: Service, param: string): string {
  const value = exampleParam(name, param);
  if (value === undefined)
    throw new InternalError(`There is no example of the parameter ${param}: add one to example-values.ts`);
  return value;
}
