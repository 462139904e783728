import { describe, expect, it } from "vitest";
import { compareServices, type PublishedApi } from "./compare.ts";
import { normalizeFile, type Json } from "./normalize.ts";

const normalized = (schema: Json, defaults = false, others: Record<string, Json> = {}) =>
  normalizeFile("v1/a.json", { schemas: { "v1/a.json": schema, ...others }, defaults });

describe("normalizeFile", () => {
  it("treats equivalent notations as equal", () => {
    const theirs: Json = {
      $id: "/schemas/x/v1/a.json#",
      title: "A",
      type: "object",
      properties: {
        kind: { type: "string", enum: ["s3"] },
        tags: { type: "object", patternProperties: { "^.*$": { type: "string" } } },
      },
      additionalProperties: true,
      required: ["tags", "kind"],
    };
    const ours: Json = {
      type: "object",
      required: ["kind", "tags"],
      properties: {
        kind: { const: "s3", description: "Kind." },
        tags: { type: "object", additionalProperties: { type: "string", title: "Tag" } },
      },
    };
    expect(normalized(ours)).toEqual(normalized(theirs));
    expect(normalized(ours)).not.toEqual(normalized({ ...ours, required: ["kind"] }));
  });

  it("matches variants by their constants, whatever their order", () => {
    const variant = (kind: string, extra: Json = {}): Json => ({
      properties: { kind: { const: kind }, extra },
    });
    expect(normalized({ oneOf: [variant("a"), variant("b")] })).toEqual(
      normalized({ oneOf: [variant("b"), variant("a")] }),
    );
    expect(normalized({ oneOf: [variant("a", { type: "null" })] })).toMatchObject({
      oneOf: { '"a"': { properties: { extra: { type: "null" } } } },
    });
    expect(normalized({ anyOf: [{ type: "null" }, { type: "string" }] })).toEqual({
      anyOf: { 0: { type: "null" }, 1: { type: "string" } },
    });
  });

  it("resolves references within a document, to other documents, and with sibling members", () => {
    const b: Json = {
      definitions: { d: { type: "string" } },
      properties: { p: { $ref: "#/definitions/d" } },
    };
    const a: Json = {
      properties: {
        x: { $ref: "b.json#/properties/p", default: "-" },
        y: { $ref: "/schemas/s/v1/b.json#" },
        z: { $ref: "./b.json#" },
      },
    };
    const whole = { properties: { p: { type: "string" } } };
    expect(normalized(a, true, { "v1/b.json": b })).toEqual({
      properties: { x: { type: "string", default: "-" }, y: whole, z: whole },
    });
    expect(() => normalized({ $ref: "c.json#" })).toThrow(
      "v1/a.json refers to c.json#, which does not exist",
    );
  });

  it("considers defaults only where they are filled in", () => {
    expect(normalized({ type: "string", default: "x" }, true)).toEqual({ type: "string", default: "x" });
    expect(normalized({ type: "string", default: "x" }, false)).toEqual({ type: "string" });
  });
});

describe("compareServices", () => {
  const method = {
    type: "function",
    name: "get",
    method: "get",
    route: "/a/<b>",
    args: ["b"],
    query: ["x", "y"],
    stability: "stable",
    scopes: { AllOf: ["a:<b>"] },
    output: "v1/a.json#",
  };
  const event = {
    name: "seen",
    exchange: "seen",
    routingKey: [{ name: "b", required: true, summary: "B." }],
    schema: "v1/a.json#",
  };
  const api: PublishedApi = {
    api: [method],
    exchangePrefix: "exchange/s/",
    exchanges: [event],
    schemas: { "v1/a.json": { properties: { b: { type: "string" } }, required: ["b"] } },
    metrics: [{ name: "m", type: "histogram", labels: { l: "A label." }, buckets: [1, 5] }],
    logs: [{ name: "l", type: "l", version: 1, level: "info", fields: { a: "A." } }],
  };

  it("finds nothing if only prose and order differ", () => {
    const other = { ...api, api: [{ ...method, title: "Get", description: "Gets.", query: ["y", "x"] }] };
    expect(compareServices("s", api, other)).toEqual([]);
  });

  it("reports where a method, an event or a schema differs, and how", () => {
    const ours: PublishedApi = {
      api: [
        { ...method, stability: "experimental", scopes: { AllOf: ["b:<b>"] } },
        { ...method, name: "put" },
      ],
      exchangePrefix: "exchange/t/",
      exchanges: [{ ...event, routingKey: [{ name: "b", required: false }] }],
      schemas: { "v1/a.json": { properties: { b: { type: "number" }, c: {} } }, "v1/unused.json": {} },
      metrics: [{ name: "m", type: "gauge", labels: {}, buckets: [5, 10] }],
      logs: [{ name: "l", type: "l", version: 1, level: "debug", fields: {} }],
    };
    const member = { theirs: "string", ours: "number" };
    expect(compareServices("s", api, ours)).toEqual([
      { where: "s exchangePrefix", theirs: "exchange/s/", ours: "exchange/t/" },
      { where: "s get stability", theirs: "stable", ours: "experimental" },
      { where: "s get scopes/AllOf[0]", theirs: "a:<b>", ours: "b:<b>" },
      { where: "s get output schema/properties/b/type", ...member },
      { where: "s get output schema/properties/c", theirs: undefined, ours: {} },
      { where: "s get output schema/required", theirs: { b: true }, ours: undefined },
      { where: "s put", theirs: undefined, ours: "put" },
      { where: "s event seen routingKey[0]/required", theirs: true, ours: false },
      { where: "s event seen message/properties/b/type", ...member },
      { where: "s event seen message/properties/c", theirs: undefined, ours: {} },
      { where: "s event seen message/required", theirs: { b: true }, ours: undefined },
      { where: "s metric m type", theirs: "histogram", ours: "gauge" },
      { where: "s metric m labels/l", theirs: "l", ours: undefined },
      { where: "s metric m buckets/1", theirs: "1", ours: undefined },
      { where: "s metric m buckets/10", theirs: undefined, ours: "10" },
      { where: "s log l level", theirs: "info", ours: "debug" },
      { where: "s log l fields/a", theirs: "a", ours: undefined },
      { where: "s schema v1/unused.json", theirs: undefined, ours: "v1/unused.json" },
    ]);
    expect(compareServices("s", ours, api)).toContainEqual({
      where: "s put",
      theirs: "put",
      ours: undefined,
    });
  });
});
