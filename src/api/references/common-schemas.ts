// The schemas of the published formats themselves. A test validates each document that we publish against the schema
// that it names.
import { commonSchemaPath, schemaId, type PublishedDocument } from "./locations.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const uri = { type: "string", format: "uri" } as const;
const listOf = (items: object) => ({ type: "array", items, uniqueItems: true }) as const;

/** Returns the schema of an object with exactly these members, all required except those listed in `optional`. */
const record = (properties: Readonly<Record<string, object>>, optional: readonly string[] = []) => ({
  type: "object",
  additionalProperties: false,
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});

/** Returns the schema of a format. Tools distinguish formats and their versions by `metadata`. */
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
  scope: { ...scope, description: "A scope. `<name>` is replaced by the value of a parameter." },
  allOf: { ...record({ AllOf: listOf(define("part")) }), description: "Every part is required." },
  anyOf: { ...record({ AnyOf: listOf(define("part")) }), description: "One of the parts is required." },
  forEach: {
    ...record({ for: parameter, in: parameter, each: scope }),
    description:
      "One scope for each element of the list `in`. The name in `for` refers to the element in `each`.",
  },
  ifThen: {
    // oxlint-disable-next-line unicorn/no-thenable -- a member of the format, and schemas are never awaited
    ...record({ if: parameter, then: define("part"), else: define("part") }, ["else"]),
    description: "`then` if the parameter is true, otherwise `else`, or nothing if that is absent.",
  },
  part: { oneOf: ["scope", "allOf", "anyOf", "forEach", "ifThen"].map(define) },
  template: { oneOf: ["scope", "allOf", "anyOf", "ifThen"].map(define) },
} as const;

const method = record(
  {
    type: { const: "function" },
    method: { enum: ["get", "put", "post", "delete", "head", "patch", "options"] },
    route: { ...text, description: "The path below `/api/<service>/<version>`. `<name>` is a parameter." },
    args: { ...listOf(text), description: "The parameters of the route, in order." },
    query: { ...listOf(text), description: "The query parameters." },
    name: text,
    category: { ...text, description: "Methods of a category are shown together." },
    stability: { enum: ["experimental", "stable", "deprecated"] },
    title: text,
    description: { ...text, description: "Markdown." },
    scopes: {
      ...define("template"),
      description: "The scopes that the caller needs. Without it the method is public.",
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
    constant: { ...text, description: "The value of a word that is always the same." },
    required: { ...flag, description: "Whether the word is always known. Otherwise it can be `_`." },
    multipleWords: { ...flag, description: "Whether the word may contain dots." },
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

const metric = record(
  {
    name: text,
    type: { enum: ["counter", "gauge", "histogram"] },
    title: text,
    description: { ...text, description: "What is counted or measured." },
    labels: { type: "object", additionalProperties: text, description: "The meaning of each label." },
    buckets: { ...listOf({ type: "number" }), description: "The upper bounds of a histogram's buckets." },
    registers: { ...listOf(text), description: "The pages that show the metric. This server has one." },
  },
  ["buckets"],
);

const logType = record({
  name: text,
  type: { ...text, description: "The message of the record." },
  version: { type: "integer" },
  level: { enum: ["debug", "info", "warn", "error"] },
  title: text,
  description: text,
  fields: { type: "object", additionalProperties: text, description: "The meaning of each field." },
});

const metaschemaId = schemaId(commonSchemaPath("metaschema"));
const metadataId = schemaId(commonSchemaPath("metadata-metaschema"));

/** The schemas of references, of the manifest and of schemas, for any root URL. */
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
    "logs",
    0,
    "Log records of a service",
    record({ $schema: service.$schema, serviceName: service.serviceName, types: listOf(logType) }),
  ),
  format(
    "metrics",
    0,
    "Metrics of a service",
    record({ $schema: service.$schema, serviceName: service.serviceName, metrics: listOf(metric) }),
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
      description: "The schemas of services use JSON Schema, draft 06.",
      $ref: "http://json-schema.org/draft-06/schema#",
    },
  },
  {
    path: commonSchemaPath("metadata-metaschema"),
    content: {
      $schema: "http://json-schema.org/draft-06/schema#",
      $id: metadataId,
      title: "Schema of format schemas",
      description: "JSON Schema with the name and version of the format that the schema describes.",
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
