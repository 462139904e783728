import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { describe, expect, it, test } from "vitest";
import type { Service } from "../service.ts";
import { services } from "../services.ts";
import { exampleCall } from "./example-call.ts";
import { exampleOf } from "./example.ts";

const all: readonly Service[] = Object.values(services);
const calls = all.flatMap((service) =>
  Object.values(service.endpoints).map((endpoint) => ({
    name: `${service.name}.${endpoint.name}`,
    endpoint,
    example: exampleCall(service, endpoint),
  })),
);

const ajv = addFormats.default(new Ajv({ strict: false, allErrors: true }));

/** Returns the errors of a text by a schema. */
function faults(schema: object, text: string | undefined): unknown[] {
  const validate = ajv.compile(schema);
  return validate(JSON.parse(text ?? "null")) ? [] : (validate.errors ?? []);
}

describe("the example of a method", () => {
  it("exists for each one that has a body, or a reply as JSON", () => {
    for (const { name, endpoint, example } of calls) {
      const { body, reply } = endpoint;
      const isDescribed = body !== undefined || (reply !== undefined && reply !== "blob");
      expect([name, example !== undefined]).toEqual([name, isDescribed]);
    }
  });

  it("is valid by the schemas of its request and reply", () => {
    const invalid = calls.flatMap(({ name, endpoint: { body, reply }, example }) => [
      ...(body ? faults(body.schema, example?.request) : []).map((fault) => ({ name, request: fault })),
      ...(reply && reply !== "blob" ? faults(reply.schema, example?.reply) : []).map((fault) => ({
        name,
        reply: fault,
      })),
    ]);
    expect(invalid).toEqual([]);
  });

  it("gives each parameter of the path a value that the method accepts", () => {
    for (const { name, endpoint, example } of calls) {
      if (example === undefined) continue;
      const words = example.command.replaceAll("'", "").split(" ");
      for (const [param, pattern] of Object.entries(endpoint.params ?? {})) {
        const word = words.find((one) => one.startsWith(`${param}=`));
        expect([name, word?.slice(param.length + 1)]).toEqual([name, expect.stringMatching(pattern)]);
      }
    }
  });
});

test("a schema without a value for a text says where to add one", () => {
  expect(() => exampleOf({ type: "object", properties: { a: { type: "string" } } })).toThrow(
    "There is no example of a: add one to example-values.ts",
  );
});
