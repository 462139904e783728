// The reference of a service's methods, in the format that clients, generators and UIs of the compatible system read.
import type { ScopeTemplate } from "../../lib/scopes/template.ts";
import type { Endpoint, Stability } from "../endpoint.ts";
import type { Service } from "../service.ts";
import { commonSchemaPath, schemaId, schemaReference } from "./locations.ts";

export interface ApiReference {
  readonly $schema: string;
  readonly apiVersion: string;
  readonly serviceName: string;
  readonly title: string;
  readonly description: string;
  readonly entries: readonly ApiEntry[];
}

/** A method. */
export interface ApiEntry {
  readonly type: "function";
  readonly method: "get" | "put" | "post" | "delete";
  /** Below `/api/<service>/<version>`, with `<param>` where a parameter stands. */
  readonly route: string;
  /** The parameters of the route, in its order. */
  readonly args: readonly string[];
  readonly query: readonly string[];
  readonly name: string;
  readonly category: string;
  readonly stability: Stability;
  readonly title: string;
  readonly description: string;
  readonly scopes?: ScopeTemplate;
  /** `v1/task.json#`: a schema below `/schemas/<service>/`. */
  readonly input?: string;
  readonly output?: string;
}

/** The reference of the methods of `service`, for any root URL. */
export const renderApiReference = (service: Service): ApiReference => ({
  $schema: schemaId(commonSchemaPath("api-reference-v0")),
  apiVersion: service.version,
  serviceName: service.name,
  title: service.title,
  description: service.description,
  entries: Object.values(service.endpoints).map(renderEntry),
});

function renderEntry(endpoint: Endpoint): ApiEntry {
  const { method, path, name, category, stability, title, description, scopes, body, reply } = endpoint;
  return {
    type: "function",
    // The union of the lower-case names is the lower case of the union, which the compiler does not see.
    method: method.toLowerCase() as ApiEntry["method"],
    route: publishedRoute(path),
    args: pathParameters(path).map((parameter) => parameter.name),
    query: Object.keys(endpoint.query ?? {}),
    name,
    category,
    stability,
    title,
    description,
    ...(scopes !== undefined && { scopes }),
    ...(body && { input: schemaReference(body) }),
    // The format knows the word `blob` for a reply without a schema, but its publisher leaves the member out.
    ...(reply && reply !== "blob" && { output: schemaReference(reply) }),
  };
}

const PARAMETER = /([:*])(\w+)/g;

/** A method's path as references write it: `/task/<taskId>`. */
export const publishedRoute = (path: string): string => path.replace(PARAMETER, "<$2>");

/** The parameters of a method's path, in order; `rest` ones take slashes too. */
export const pathParameters = (path: string): { readonly name: string; readonly rest: boolean }[] =>
  [...path.matchAll(PARAMETER)].map(([, kind, name = ""]) => ({ name, rest: kind === "*" }));
