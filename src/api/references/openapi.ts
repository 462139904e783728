// The contract as an OpenAPI 3.1 document, for tools that do not support the references.
import { errorStatus } from "../../lib/errors.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Named } from "../schema.ts";
import { publishedEndpoints, type Service } from "../service.ts";
import { pathParameters } from "./api-reference.ts";
import { linked, namedSchemas, schemaTitle } from "./schemas.ts";
import { scopesAsMarkdown } from "./scope-text.ts";
import { withoutTrailingSlashes } from "../../lib/trailing-slashes.ts";

export interface OpenApi {
  readonly openapi: string;
  readonly info: object;
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  /** Operations by path, then by method. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly responses: object;
    readonly securitySchemes: object;
  };
}

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly deprecated?: true;
  readonly parameters: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
  readonly security: readonly object[];
  readonly [extension: `x-taskcluster-${string}`]: unknown;
}

export interface OpenApiOptions {
  readonly services: readonly Service[];
  readonly rootUrl: string;
  /** The version of the software that serves the API. */
  readonly version: string;
}

/** Returns the OpenAPI document of `services`. */
export function renderOpenApi({ services, rootUrl, version }: OpenApiOptions): OpenApi {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const service of services) {
    // A path is listed once, so its parameters have the same names for all methods: those of the first.
    const known = new Map<string, string>();
    for (const endpoint of publishedEndpoints(service)) {
      const shape = endpoint.path.replaceAll(/([:*])\w+/g, "$1");
      const template = known.get(shape) ?? endpoint.path;
      known.set(shape, template);
      const path = `/api/${service.name}/${service.version}${template.replace(/[:*](\w+)/g, "{$1}")}`;
      (paths[path] ??= {})[endpoint.method.toLowerCase()] = operation(service, endpoint, template);
    }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Taskyard",
      version,
      description: "A task execution platform. Its wire API is compatible with that of Taskcluster.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: withoutTrailingSlashes(rootUrl) }],
    tags: services.flatMap(tagsOf),
    paths,
    components: {
      schemas: { ...Object.fromEntries(services.flatMap(schemasOf)), Error: errorBody },
      responses: {
        Error: {
          description:
            "An error: `code` is its kind, `message` states what is wrong and what would be right.",
          content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
        },
      },
      securitySchemes,
    },
  };
}

function operation(service: Service, endpoint: Endpoint, template: string): Operation {
  const { name, category, title, description, stability, body, scopes } = endpoint;
  return {
    operationId: `${service.name}_${name}`,
    tags: [tagName(service, category)],
    summary: title,
    description:
      scopes === undefined
        ? description
        : `${description}\n\nRequired scopes:\n\n${scopesAsMarkdown(scopes)}`,
    ...(stability === "deprecated" && { deprecated: true }),
    parameters: parametersOf(endpoint, template),
    ...(body && { requestBody: { required: true, content: json(service, body) } }),
    responses: { ...replyOf(service, endpoint), default: { $ref: "#/components/responses/Error" } },
    security: securityOf(endpoint),
    "x-taskcluster-stability": stability,
    ...(scopes !== undefined && { "x-taskcluster-scopes": scopes }),
  };
}

function parametersOf({ path, params, query }: Endpoint, template: string): object[] {
  const names = pathParameters(template).map(({ name }) => name);
  return [
    ...pathParameters(path).map(({ name, rest }, i) => ({
      name: names[i] ?? name,
      in: "path",
      required: true,
      ...(rest && { description: "May contain slashes, percent-encoded or not." }),
      schema: textLike(params?.[name]),
    })),
    ...Object.entries(query ?? {}).map(([name, pattern]) => ({
      name,
      in: "query",
      required: false,
      schema: textLike(pattern),
    })),
  ];
}

const textLike = (pattern: RegExp | undefined): object => ({
  type: "string",
  ...(pattern && { pattern: pattern.source }),
});

function replyOf(service: Service, { reply, replyStatus = 200 }: Endpoint): Record<string, object> {
  if (reply === undefined) return { 204: { description: "Success, without a body." } };
  if (reply === "blob")
    return { [replyStatus]: { description: "Not described by a schema.", content: { "*/*": {} } } };
  return { [replyStatus]: { description: schemaTitle(reply), content: json(service, reply) } };
}

/** Every caller has the scopes of the role `anonymous`, so a method with scopes may not require credentials either. */
function securityOf({ method, scopes }: Endpoint): object[] {
  if (scopes === undefined) return [];
  return [{ hawk: [] }, ...(method === "GET" ? [{ bewit: [] }] : []), {}];
}

const tagName = (service: Service, category: string): string => `${service.title}: ${category}`;

function tagsOf(service: Service): { name: string; description: string }[] {
  const categories = new Set(publishedEndpoints(service).map((endpoint) => endpoint.category));
  return [...categories].map((category) => ({
    name: tagName(service, category),
    description: service.description,
  }));
}

function schemasOf(service: Service): [string, object][] {
  const published = namedSchemas(service);
  return published.map((schema) => [
    schemaKey(service, schema),
    linked(schema, published, (other) => schemaPointer(service, other)),
  ]);
}

const schemaPointer = (service: Service, schema: Named): string =>
  `#/components/schemas/${schemaKey(service, schema)}`;

const json = (service: Service, schema: Named): object => ({
  "application/json": { schema: { $ref: schemaPointer(service, schema) } },
});

/** For example `queue.v1.task`: keys of components must not contain slashes. */
const schemaKey = (service: Service, { file }: Named): string =>
  `${service.name}.${file.replace(/\.json$/, "").replaceAll("/", ".")}`;

const errorBody = {
  title: "Error",
  type: "object",
  required: ["code", "message", "requestInfo"],
  properties: {
    code: { type: "string", enum: Object.keys(errorStatus) },
    message: {
      type: "string",
      description: "Markdown. The text after the line `---` repeats code, status and time.",
    },
    requestInfo: {
      type: "object",
      required: ["method", "params", "payload", "time"],
      properties: {
        method: { type: "string", description: "The name of the method." },
        params: { type: "object", description: "The path parameters." },
        payload: { description: "The body of the request, without secrets." },
        time: { type: "string", format: "date-time" },
      },
    },
  },
} as const;

const securitySchemes = {
  hawk: {
    type: "http",
    scheme: "hawk",
    description:
      "Hawk (HMAC-SHA256) with a client id and an access token. The `ext` attribute is the base64 encoding of a JSON object, which may contain the `certificate` of temporary credentials, and `authorizedScopes` to limit the request to some of the scopes of the credentials.",
  },
  bewit: {
    type: "apiKey",
    in: "query",
    name: "bewit",
    description: "A Hawk signature in the URL. Valid for GET requests until the time that it contains.",
  },
} as const;
