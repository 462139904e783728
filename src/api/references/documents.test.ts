import { createRequire } from "node:module";
import { Ajv, type AnySchemaObject } from "ajv";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { services } from "../services.ts";
import { commonSchemas } from "./common-schemas.ts";
import { renderDocuments, renderManifest } from "./documents.ts";
import { absolute } from "./locations.ts";
import { renderLogsDocument } from "./logs-document.ts";
import { renderMetricsDocument } from "./metrics-document.ts";

const ROOT = "https://ci.example.com";
const all = Object.values(services);
const metrics = renderMetricsDocument(services.queue, [
  { type: "counter", name: "queue_a", help: "Counts.", labels: { reason: "Why" } },
  { type: "histogram", name: "queue_b", help: "Measures.", labels: {}, buckets: [0.1, 1] },
]);
const logs = renderLogsDocument(services.queue, {
  "task-seen": { name: "taskSeen", level: "debug", title: "A task was seen", fields: { taskId: "The task" } },
});
const documents = [...renderDocuments(all), metrics, logs].map((d) => ({
  ...d,
  content: absolute(d.content, ROOT),
}));

/** Returns a validator with every published schema, each serialized and parsed as for a client. */
function readerOf(published: readonly { path: string; content: object }[]): Ajv {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const draft06: unknown = createRequire(import.meta.url)("ajv/dist/refs/json-schema-draft-06.json");
  ajv.addMetaSchema(throughText(draft06));
  const schemas = published.filter(({ path }) => path.startsWith("/schemas/"));
  // Metaschemas must be added before the schemas that refer to them.
  for (const { content } of schemas.filter(({ path }) => path.endsWith("metaschema.json")))
    ajv.addMetaSchema(throughText(content));
  for (const { content } of schemas.filter(({ path }) => !path.endsWith("metaschema.json")))
    ajv.addSchema(throughText(content));
  return ajv;
}
const throughText = (value: unknown): AnySchemaObject => JSON.parse(JSON.stringify(value)) as AnySchemaObject;

describe("the published documents", () => {
  const reader = readerOf(documents);
  const problemsOf = (content: object): unknown => {
    const value = throughText(content);
    const check = reader.getSchema(String(value.$schema).replace(/#$/, ""));
    if (!check) return `no schema ${String(value.$schema)}`;
    return check(value) ? [] : check.errors;
  };

  it("are each valid against the schema that they name", () => {
    for (const { path, content } of documents) expect([path, problemsOf(content)]).toEqual([path, []]);
    expect(problemsOf(renderManifest(all, ROOT))).toEqual([]);
  });

  it("are reported when they are invalid", () => {
    const api = documents.find(({ path }) => path === "/references/queue/v1/api.json")?.content;
    const problem = { message: "must have required property 'serviceName'" };
    expect(problemsOf({ ...api, serviceName: undefined })).toMatchObject([problem]);
  });

  it("have unique paths, and the id of a schema is its path", () => {
    expect(new Set(documents.map(({ path }) => path)).size).toBe(documents.length);
    const schemas = documents.filter(({ path }) => path.startsWith("/schemas/"));
    expect(schemas.length).toBeGreaterThan(30);
    for (const { path, content } of schemas) expect(content).toMatchObject({ $id: `${ROOT}${path}#` });
  });

  it("name only schemas that are published", () => {
    const paths = new Set(documents.map(({ path }) => `${path}#`));
    let count = 0;
    for (const { path, content } of documents) {
      const service = /^\/references\/([^/]+)/.exec(path)?.[1];
      if (service === undefined) continue;
      const named = [...JSON.stringify(content).matchAll(/"(?:input|output|schema)":"([^"]+)"/g)];
      for (const [, file = ""] of named) expect(paths).toContain(`/schemas/${service}/${file}`);
      count += named.length;
    }
    expect(count).toBeGreaterThan(0);
  });

  it("contain schemas that can be compiled", () => {
    const ids = documents.flatMap(({ content }) => ("$id" in content ? [String(content.$id)] : []));
    for (const id of ids)
      expect([id, typeof reader.getSchema(id.replace(/#$/, ""))]).toEqual([id, "function"]);
  });
});

describe("absolute", () => {
  it("prefixes ids, schemas and references with the root URL, and nothing else", () => {
    const document = {
      $id: "/schemas/a/v1/b.json#",
      properties: { $id: { const: "/schemas/x" }, b: [{ $ref: "/schemas/c#" }, { $ref: "#/definitions/d" }] },
      title: "/schemas/a/v1/b.json#",
      none: null,
    };
    expect(absolute(document, "http://127.0.0.1:8080//")).toEqual({
      $id: "http://127.0.0.1:8080/schemas/a/v1/b.json#",
      properties: {
        $id: { const: "/schemas/x" },
        b: [{ $ref: "http://127.0.0.1:8080/schemas/c#" }, { $ref: "#/definitions/d" }],
      },
      title: "/schemas/a/v1/b.json#",
      none: null,
    });
  });
});

describe("renderManifest", () => {
  it("lists the references of every service, sorted", () => {
    const { references, $schema } = renderManifest(all, `${ROOT}/`);
    expect($schema).toBe(`${ROOT}/schemas/common/manifest-v3.json#`);
    expect(references).toContain(`${ROOT}/references/queue/v1/api.json`);
    expect(references).toContain(`${ROOT}/references/queue/v1/exchanges.json`);
    expect(references).toEqual(references.toSorted());
  });

  it("omits the events of a service without events", () => {
    const withoutEvents = { ...services.queue, exchanges: {} };
    expect(renderManifest([withoutEvents], ROOT).references).toEqual([
      `${ROOT}/references/queue/v1/api.json`,
    ]);
  });
});

describe("the common schemas", () => {
  it("are those that clients of Taskcluster read", () => {
    expect(commonSchemas.map(({ path }) => path)).toEqual([
      "/schemas/common/api-reference-v0.json",
      "/schemas/common/exchanges-reference-v0.json",
      "/schemas/common/logs-reference-v0.json",
      "/schemas/common/metrics-reference-v0.json",
      "/schemas/common/manifest-v3.json",
      "/schemas/common/metaschema.json",
      "/schemas/common/metadata-metaschema.json",
    ]);
  });
});
