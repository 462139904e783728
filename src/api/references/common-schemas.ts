// The schemas of the published formats themselves. They bind us: a test holds each document that we publish
// against the schema that it names.
import { commonSchemaPath, schemaId, type PublishedDocument } from "./locations.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const uri = { type: "string", format: "uri" } as const;
const listOf = (items: object) => ({ type: "array", items, uniqueItems: true }) as const;

/** An object of which every member that is not named in `optional` is required, and no other is allowed. */
const record = (properties: Readonly<Record<string, object>>, optional: readonly string[] = []) => ({
  type: "object",
  additionalProperties: false,
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});

/** A schema of a format; `metadata` is how tools tell formats and their versions apart. */
const format = (name: string, version: number, title: string, schema: object): PublishedDocument => {
  const file = `${name === "manifest" ? name : `${name}-reference`}-v${version}`;
  const path = commonSchemaPath(file);
  return {
    path,
    content: {
      $schema: schemaId(commonSchemaPath("metadata-metaschema")),
      $id: schemaId(path),
      title,
      metadata: { name, version },
      ...schema,
    },
  };
};

const service = {
  $schema: { ...uri, description: "The schema of this format." },
  apiVersion: { type: "string", pattern: "^v[0-9]+$" },
  serviceName: { type: "string", pattern: "^[a-z][a-z0-9_-]*$", minLength: 1, maxLength: 22 },
  title: text,
  description: { ...text, description: "Markdown." },
} as const;

const scope = { type: "string", pattern: "^[\\x20-\\x7e]*$" } as const;
const parameter = { type: "string", pattern: "^[a-zA-Z][a-zA-Z0-9_]*$" } as const;
const define = (name: string) => ({ $ref: `#/definitions/${name}` }) as const;

const scopeTemplates = {
  scope: { ...scope, description: "A scope; `<name>` stands for the value of a parameter." },
  allOf: { ...record({ AllOf: listOf(define("part")) }), description: "Every part is required." },
  anyOf: { ...record({ AnyOf: listOf(define("part")) }), description: "One of the parts is required." },
  forEach: {
    ...record({ for: parameter, in: parameter, each: scope }),
    description: "One scope for each element of the list `in`, which `each` calls by the name in `for`.",
  },
  ifThen: {
    // oxlint-disable-next-line unicorn/no-thenable -- the format's own member, in a schema that nobody awaits
    ...record({ if: parameter, then: define("part"), else: define("part") }, ["else"]),
    description: "`then` where the parameter is true; otherwise `else`, or nothing where there is none.",
  },
  part: { oneOf: ["scope", "allOf", "anyOf", "forEach", "ifThen"].map(define) },
  template: { oneOf: ["scope", "allOf", "anyOf", "ifThen"].map(define) },
} as const;

const method = record(
  {
    type: { const: "function" },
    method: { enum: ["get", "put", "post", "delete", "head", "patch", "options"] },
    route: { ...text, description: "The path below `/api/<service>/<version>`; `<name>` is a parameter." },
    args: { ...listOf(text), description: "The parameters of the route, in its order." },
    query: { ...listOf(text), description: "The parameters that the query may hold." },
    name: text,
    category: { ...text, description: "Methods of a category are shown together." },
    stability: { enum: ["experimental", "stable", "deprecated"] },
    title: text,
    description: { ...text, description: "Markdown." },
    scopes: {
      ...define("template"),
      description: "What the caller must hold; without it the method is public.",
    },
    input: { ...text, description: "The schema of the request, below `/schemas/<service>/`." },
    output: { ...text, description: "The schema of the reply, below `/schemas/<service>/`, or `blob`." },
  },
  ["query", "scopes", "input", "output"],
);

const routingKeyWord = record(
  {
    name: text,
    summary: { ...text, description: "Markdown." },
    constant: { ...text, description: "The word, where it is always the same." },
    required: { ...flag, description: "Whether it is always known; where it is not, it is `_`." },
    multipleWords: { ...flag, description: "Whether it may hold dots." },
  },
  ["constant"],
);

const event = record({
  type: { const: "topic-exchange" },
  exchange: { ...text, description: "The name of the exchange after the prefix." },
  name: text,
  title: text,
  description: { ...text, description: "Markdown." },
  routingKey: { ...listOf(routingKeyWord), description: "The words of the routing key, in order." },
  schema: { ...text, description: "The schema of the message, below `/schemas/<service>/`." },
});

const metaschemaId = schemaId(commonSchemaPath("metaschema"));
const metadataId = schemaId(commonSchemaPath("metadata-metaschema"));

/** The schemas of references, manifest and schemas, for any root URL. */
export const commonSchemas: readonly PublishedDocument[] = [
  format("api", 0, "Methods of a service", {
    ...record({ ...service, entries: listOf(method) }),
    definitions: scopeTemplates,
  }),
  format(
    "exchanges",
    0,
    "Events of a service",
    record({ ...service, exchangePrefix: text, entries: listOf(event) }),
  ),
  format(
    "manifest",
    3,
    "All references of a deployment",
    record({ $schema: service.$schema, references: listOf(uri) }),
  ),
  {
    path: commonSchemaPath("metaschema"),
    content: {
      $schema: "http://json-schema.org/draft-06/schema#",
      $id: metaschemaId,
      title: "Schema of schemas",
      description: "The schemas of services are written in JSON Schema, draft 06.",
      $ref: "http://json-schema.org/draft-06/schema#",
    },
  },
  {
    path: commonSchemaPath("metadata-metaschema"),
    content: {
      $schema: "http://json-schema.org/draft-06/schema#",
      $id: metadataId,
      title: "Schema of the schemas of formats",
      description: "JSON Schema, and the name and version of the format that the schema describes.",
      allOf: [{ $ref: metaschemaId }, { $ref: "#/definitions/named" }],
      definitions: {
        named: {
          type: "object",
          properties: { metadata: record({ name: text, version: { type: "integer" } }) },
          required: ["metadata"],
        },
      },
    },
  },
];
