// The reference of a service's methods, in the format for clients, generators and UIs of Taskcluster.
import type { ScopeTemplate } from "../../lib/scopes/template.ts";
import type { Endpoint, Stability } from "../endpoint.ts";
import { publishedEndpoints, type Service } from "../service.ts";
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
  /** The path below `/api/<service>/<version>`, with parameters as `<param>`. */
  readonly route: string;
  /** The parameters of the route, in order. */
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

/** Returns the reference of the methods of `service`, for any root URL. */
export const renderApiReference = (service: Service): ApiReference => ({
  $schema: schemaId(commonSchemaPath("api-reference-v0")),
  apiVersion: service.version,
  serviceName: service.name,
  title: service.title,
  description: service.description,
  entries: publishedEndpoints(service).map(renderEntry),
});

function renderEntry(endpoint: Endpoint): ApiEntry {
  const { method, path, name, category, stability, title, description, scopes, body, reply } = endpoint;
  return {
    type: "function",
    // The compiler does not infer that lower-casing the union gives the union of the lower-case names.
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
    // The format permits `blob` for a reply without a schema, but Taskcluster omits the member.
    ...(reply && reply !== "blob" && { output: schemaReference(reply) }),
  };
}

const PARAMETER = /([:*])(\w+)/g;

/** Returns the path of a method as in references: `/task/<taskId>`. */
export const publishedRoute = (path: string): string => path.replace(PARAMETER, "<$2>");

/** Returns the parameters of a method's path, in order. A `rest` parameter may contain slashes. */
export const pathParameters = (path: string): { readonly name: string; readonly rest: boolean }[] =>
  [...path.matchAll(PARAMETER)].map(([, kind, name = ""]) => ({ name, rest: kind === "*" }));
