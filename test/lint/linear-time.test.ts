// Nothing that checks or splits outside input takes more than linear time: no regular expression of the source, and no
// pattern, format or list of the contract and of the worker's payloads.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { services } from "../../src/api/services.ts";
import type { Service } from "../../src/api/service.ts";
import { payloadJsonSchema } from "../../src/worker/payload-faults.ts";
import { nativePayload } from "../../src/worker/engines/native/engine.ts";
import { artifactsPlugin } from "../../src/worker/plugins/artifacts/plugin.ts";
import { composePayload } from "../../src/worker/payload-schema.ts";
import { errorFinder } from "../../src/server/core/schema-check.ts";
import { slowText } from "../support/adversarial-text.ts";

interface Node {
  readonly [keyword: string]: unknown;
}
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

/** Yields a schema and everything in it. */
function* nodesOf(schema: unknown): Generator<Node> {
  if (!isNode(schema)) return;
  yield schema;
  for (const part of Object.values(schema)) yield* nodesOf(part);
}

const endpoints = Object.values<Service>(services).flatMap((service) => Object.values(service.endpoints));
const bodies = endpoints.flatMap(({ body }) => (body ? [body.schema] : []));
const replies = endpoints.flatMap(({ reply }) => (reply && reply !== "blob" ? [reply.schema] : []));
const nodes = [...bodies, ...replies, payloadJsonSchema].flatMap((schema) => [...nodesOf(schema)]);

/** Every regular expression in the source. */
function literals(): Map<string, string> {
  const literal =
    /(?<=[=(,:?!&|[{}\s])\/(?![*/])((?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)(?=[\s,;).\]:}])/g;
  const found = new Map<string, string>();
  const files = readdirSync("src", { recursive: true, encoding: "utf8" });
  for (const file of files.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts")))
    for (const line of readFileSync(join("src", file), "utf8").split("\n"))
      if (!/^\s*(?:\/\/|\*|\/\*)/.test(line))
        for (const [, source = "", flags = ""] of line.matchAll(literal))
          if (isRegExp(source, flags)) found.set(`/${source}/${flags.replace("g", "")}`, `src/${file}`);
  return found;
}

function isRegExp(source: string, flags: string): boolean {
  try {
    return new RegExp(source, flags) instanceof RegExp;
  } catch {
    // A division, or a part of a text.
    return false;
  }
}

function expressionOf(literal: string): RegExp {
  const end = literal.lastIndexOf("/");
  return new RegExp(literal.slice(1, end), literal.slice(end + 1));
}

describe("takes linear time:", () => {
  it("every regular expression of the source", () => {
    const all = literals();
    expect(all.size).toBeGreaterThan(100);
    const slow = [...all].flatMap(([literal, file]) => {
      const expression = expressionOf(literal);
      const text = slowText(expression.source, (input) => {
        // A sticky expression continues where it ended.
        expression.lastIndex = 0;
        expression.test(input);
      });
      return text === undefined ? [] : [`${file}: ${literal} for ${text}`];
    });
    expect(slow).toEqual([]);
  });

  it("every pattern and format of the contract", () => {
    const patterns = nodes.flatMap(({ pattern }) => (typeof pattern === "string" ? [pattern] : []));
    const formats = nodes.flatMap(({ format }) => (typeof format === "string" ? [format] : []));
    expect(formats).toContain("date-time");
    const schemas = [
      ...[...new Set(patterns)].map((pattern) => ({ type: "string", pattern })),
      ...[...new Set(formats)].map((format) => ({ type: "string", format })),
    ];
    expect(schemas.length).toBeGreaterThan(20);
    const slow = schemas.flatMap((schema) => {
      const findErrors = errorFinder(schema);
      const text = slowText(
        "pattern" in schema ? schema.pattern : "https://2026-01-31T12:00:00.000Z(|)[]+*",
        (input) => findErrors(input, () => Infinity),
      );
      return text === undefined ? [] : [`${JSON.stringify(schema)} for ${text}`];
    });
    expect(slow).toEqual([]);
  });

  it("every list of a body whose elements must be unique", () => {
    // The worker has its own keyword for its payload: unique-items.ts.
    const lists = bodies
      .flatMap((schema) => [...nodesOf(schema)])
      .filter(({ uniqueItems }) => uniqueItems === true);
    expect(lists.length).toBeGreaterThan(5);
    for (const { items, maxItems } of lists) {
      // Texts are compared by a hash table, anything else with each other.
      const isText = isNode(items) && items["type"] === "string";
      if (!isText) expect([JSON.stringify(items), maxItems]).toEqual([expect.anything(), expect.any(Number)]);
    }
    const findErrors = errorFinder({ type: "array", uniqueItems: true, items: { type: "string" } });
    expectLinear((length) => {
      const list = Array.from({ length }, (_, i) => `element-${i}`);
      return () => expect(findErrors(list, () => Infinity)).toEqual([]);
    });
  });

  it("the lists of a worker's payload", () => {
    const { check } = composePayload([nativePayload, artifactsPlugin(1e9)]);
    const artifacts = Array.from({ length: 8_000 }, (_, i) => ({ type: "file", path: `file-${i}` }));
    // 0.1 s. Quadratic, it was 2.5 s.
    expect(shortestOf(3, () => check({ command: [["true"]], artifacts }))).toBeLessThan(1_000);
  });
});

/** `prepare` returns a function that processes a list of this length. */
function expectLinear(prepare: (length: number) => () => void): void {
  const timeOf = (length: number): number => shortestOf(5, prepare(length));
  // Quadratic, this would be 16 times as long.
  expect(timeOf(20_000)).toBeLessThan(Math.max(50, 8 * timeOf(5_000)));
}

/** Returns the shortest time of several calls, in milliseconds. */
function shortestOf(calls: number, body: () => unknown): number {
  const times = Array.from({ length: calls }, () => {
    const begin = performance.now();
    body();
    return performance.now() - begin;
  });
  return Math.min(...times);
}
