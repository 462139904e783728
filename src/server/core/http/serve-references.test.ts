import Fastify from "fastify";
import { describe, expect, it } from "vitest";
import { services } from "../../../api/services.ts";
import { serveReferences } from "./serve-references.ts";

let rootUrl = "https://ci.example.com";
const app = Fastify();
const $schema = "/schemas/common/metrics-reference-v0.json#";
const more = [{ path: "/references/queue/v1/metrics.json", content: { $schema, metrics: [] } }];
serveReferences(app, { services, rootUrl: () => rootUrl, more: () => more });

const TASK_SCHEMA = "/schemas/queue/v1/task.json";
const get = async (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers });

describe("serveReferences", () => {
  it("serves a manifest without dead links", async () => {
    const manifest = await get("/references/manifest.json");
    const { references } = manifest.json<{ references: string[] }>();
    expect(references).toContain("https://ci.example.com/references/queue/v1/api.json");
    for (const url of references) {
      const reply = await get(new URL(url).pathname);
      expect([url, reply.statusCode]).toEqual([url, 200]);
      expect(reply.json()).toMatchObject({
        $schema: expect.stringContaining("https://ci.example.com/schemas/common/"),
      });
    }
  });

  it("serves schemas under their ids, with absolute links", async () => {
    const reply = await get(TASK_SCHEMA);
    expect(reply.headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "access-control-allow-origin": "*",
      "cache-control": "public, max-age=300",
      "x-content-type-options": "nosniff",
    });
    expect(reply.json()).toMatchObject({
      $id: `https://ci.example.com${TASK_SCHEMA}#`,
      $schema: "https://ci.example.com/schemas/common/metaschema.json#",
      properties: { taskGroupId: { type: "string" } },
    });
  });

  it("serves the schemas of formats, and the OpenAPI document", async () => {
    expect((await get("/schemas/common/api-reference-v0.json")).json()).toMatchObject({
      metadata: { name: "api", version: 0 },
    });
    expect((await get("/openapi.json")).json()).toMatchObject({
      openapi: "3.1.0",
      servers: [{ url: "https://ci.example.com" }],
    });
  });

  it("sends no body to a caller that already has the document", async () => {
    const etag = String((await get(TASK_SCHEMA)).headers.etag);
    expect(etag).toMatch(/^W\/"[\w-]{27}"$/);
    for (const known of [etag, `"other", ${etag.slice(2)}`, "*"]) {
      const reply = await get(TASK_SCHEMA, { "if-none-match": known });
      expect([known, reply.statusCode, reply.body]).toEqual([known, 304, ""]);
      expect(reply.headers).toMatchObject({ etag, "access-control-allow-origin": "*" });
    }
    for (const other of ['"other"', etag.replaceAll('"', "")])
      expect((await get(TASK_SCHEMA, { "if-none-match": other })).statusCode).toBe(200);
  });

  it("supports HEAD, and replies 404 for unpublished paths", async () => {
    const head = await app.inject({ method: "HEAD", url: TASK_SCHEMA });
    expect([head.statusCode, head.body]).toEqual([200, ""]);
    for (const url of ["/schemas/queue/v1/nothing.json", "/schemas/", "/references/nothing/v1/api.json"])
      expect([url, (await get(url)).statusCode]).toEqual([url, 404]);
    expect((await get("/schemas/queue/v1/tasc.json")).json()).toMatchObject({
      message: expect.stringContaining("did you mean GET /schemas/queue/v1/task.json?"),
    });
    for (const same of [`${TASK_SCHEMA}/`, TASK_SCHEMA.replace("task", "t%61sk")])
      expect((await get(same)).statusCode).toBe(200);
  });

  it("renders documents again when the root URL changes", async () => {
    const before = (await get(TASK_SCHEMA)).headers.etag;
    rootUrl = "http://localhost:41234";
    const after = await get(TASK_SCHEMA);
    expect(after.json()).toMatchObject({ $id: `http://localhost:41234${TASK_SCHEMA}#` });
    expect(after.headers.etag).not.toBe(before);
  });
});
