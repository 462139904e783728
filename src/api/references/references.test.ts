import Type from "typebox";
import { describe, expect, it } from "vitest";
import { allOf, forEach } from "../../lib/scopes/template.ts";
import { endpoint } from "../endpoint.ts";
import { exchange, keyWord, primaryWord, reservedWord } from "../exchange.ts";
import { exactly, named } from "../schema.ts";
import { service } from "../service.ts";
import { renderApiReference } from "./api-reference.ts";
import { renderExchangesReference } from "./exchanges-reference.ts";
import { renderSchemas } from "./schemas.ts";

const Bird = named("v1/bird.json", exactly({ name: Type.String() }, { description: "A bird." }));
const scopes = allOf("birds:ring:<birdId>", forEach("band", "bands", "birds:band:<band>"));
const birds = service({
  name: "birds",
  version: "v1",
  title: "Birds",
  description: "Watches birds.",
  endpoints: {
    ring: endpoint({
      method: "PUT",
      path: "/bird/:birdId/rings/*ring",
      params: { birdId: /^\w+$/, ring: /./ },
      query: { limit: /^\d+$/, continuationToken: /./ },
      name: "ring",
      category: "Rings",
      stability: "experimental",
      title: "Ring a bird",
      description: "Gently.",
      scopes,
      body: Bird,
      reply: Bird,
    }),
    sing: endpoint({
      method: "GET",
      path: "/song",
      name: "sing",
      category: "Songs",
      stability: "stable",
      title: "Sing",
      description: "Loud.",
      reply: "blob",
    }),
  },
  exchanges: {
    seen: exchange({
      exchange: "bird-seen",
      name: "birdSeen",
      title: "Bird seen",
      description: "The bird was seen.",
      routingKey: [primaryWord, keyWord("birdId", "The bird.", true), reservedWord],
      message: named("v1/bird-seen-message.json", exactly({ birdId: Type.String() })),
    }),
  },
  schemas: [named("v1/feather.json", Type.Object({}, { title: "Plume" }))],
});

describe("renderApiReference", () => {
  it("contains the declarations of a service and its methods", () => {
    const { entries, ...about } = renderApiReference(birds);
    expect(about).toEqual({
      $schema: "/schemas/common/api-reference-v0.json#",
      apiVersion: "v1",
      serviceName: "birds",
      title: "Birds",
      description: "Watches birds.",
    });
    expect(entries[0]).toEqual({
      type: "function",
      method: "put",
      route: "/bird/<birdId>/rings/<ring>",
      args: ["birdId", "ring"],
      query: ["limit", "continuationToken"],
      name: "ring",
      category: "Rings",
      stability: "experimental",
      title: "Ring a bird",
      description: "Gently.",
      scopes,
      input: "v1/bird.json#",
      output: "v1/bird.json#",
    });
  });

  it("omits members that a public method without schemas does not have", () => {
    const sing = renderApiReference(birds).entries[1];
    expect(sing).toMatchObject({ method: "get", route: "/song", args: [], query: [] });
    for (const absent of ["scopes", "input", "output"]) expect(sing).not.toHaveProperty(absent);
  });
});

describe("renderExchangesReference", () => {
  it("contains the events and their common prefix", () => {
    const reference = renderExchangesReference(birds);
    expect(reference).toMatchObject({
      $schema: "/schemas/common/exchanges-reference-v0.json#",
      serviceName: "birds",
      title: "Birds events",
      exchangePrefix: "exchange/taskcluster-birds/v1/",
    });
    expect(reference?.entries).toEqual([
      {
        type: "topic-exchange",
        exchange: "bird-seen",
        name: "birdSeen",
        title: "Bird seen",
        description: "The bird was seen.",
        routingKey: [
          {
            name: "routingKeyKind",
            summary: "The kind of routing key. Always `primary`, the documented format.",
            constant: "primary",
            required: true,
            multipleWords: false,
          },
          { name: "birdId", summary: "The bird.", required: true, multipleWords: false },
          expect.objectContaining({ name: "reserved", required: false, multipleWords: true }),
        ],
        schema: "v1/bird-seen-message.json#",
      },
    ]);
  });

  it("is undefined for a service without events", () => {
    expect(renderExchangesReference({ ...birds, exchanges: {} })).toBeUndefined();
  });
});

describe("renderSchemas", () => {
  it("adds to every schema its id, the metaschema, and a title if it has none", () => {
    const schemas = renderSchemas(birds);
    expect(schemas.map(({ path }) => path)).toEqual([
      "/schemas/birds/v1/bird.json",
      "/schemas/birds/v1/bird-seen-message.json",
      "/schemas/birds/v1/feather.json",
    ]);
    expect(JSON.parse(JSON.stringify(schemas[0]?.content))).toEqual({
      $schema: "/schemas/common/metaschema.json#",
      $id: "/schemas/birds/v1/bird.json#",
      title: "Bird",
      description: "A bird.",
      type: "object",
      properties: { name: { type: "string" } },
      required: ["name"],
      additionalProperties: false,
    });
    expect(schemas[1]?.content).toMatchObject({ title: "Bird seen message" });
    expect(schemas[2]?.content).toMatchObject({ title: "Plume" });
  });

  it("refers to separately published schemas instead of repeating them", () => {
    const nest = named("v1/nest.json", exactly({ mother: Bird.schema, young: Type.Array(Bird.schema) }));
    const schemas = renderSchemas({ ...birds, schemas: [nest] });
    const ref = { $ref: "/schemas/birds/v1/bird.json#" };
    expect(schemas.at(-1)?.content).toMatchObject({
      $id: "/schemas/birds/v1/nest.json#",
      properties: { mother: ref, young: { type: "array", items: ref } },
    });
  });

  it("throws for two schemas with the same name", () => {
    const twice = { ...birds, schemas: [named("v1/bird.json", Type.String())] };
    expect(() => renderSchemas(twice)).toThrow("Two schemas of the service birds are called v1/bird.json");
  });
});
