import Type from "typebox";
import { describe, expect, it } from "vitest";
import { SLUGID_PATTERN } from "../../lib/slugid.ts";
import { DateTime, exactly, named, oneOf, oneOfStrings } from "../schema.ts";
import { outline } from "./outline.ts";

const Egg = exactly({ laid: DateTime });
const egg = named("v1/egg.json", Egg);
const rowsOf = (schema: Parameters<typeof named>[1]) => outline(named("v1/x.json", schema), [egg]);
const row = { link: undefined, required: true, notes: [], description: "" };

describe("outline", () => {
  it("has a row for each member, nested ones by their path, in order", () => {
    const schema = exactly({
      nest: exactly({ height: Type.Optional(Type.Number()) }),
      birds: Type.Array(exactly({ name: Type.String() })),
    });
    expect(rowsOf(schema)).toEqual([
      { ...row, path: "nest", type: "object" },
      { ...row, path: "nest.height", type: "number", required: false },
      { ...row, path: "birds", type: "list of object" },
      { ...row, path: "birds[].name", type: "string" },
    ]);
  });

  it("includes limits, values, defaults and descriptions", () => {
    const schema = exactly({
      a: Type.Integer({ minimum: 1, maximum: 32, default: 1 }),
      b: Type.String({ minLength: 2, pattern: "^x|y$", default: "" }),
      c: oneOfStrings(["one", "two"], { description: "Counts." }),
      d: Type.Array(Type.String({ maxLength: 9 }), { maxItems: 3, default: [] }),
      e: Type.Literal(7),
    });
    expect(rowsOf(schema)).toMatchObject([
      { type: "integer", notes: ["1 to 32", "default `1`"] },
      { type: "string", notes: ["at least 2 characters", "matches `^x|y$`", 'default `""`'] },
      { type: "string", notes: ["`one`, `two`"], description: "Counts." },
      { type: "list of string", notes: ["at most 3 items", "at most 9 characters", "default `[]`"] },
      { type: "number", notes: ["`7`"] },
    ]);
  });

  it("names the types of times, URLs and slugids", () => {
    const schema = exactly({
      a: DateTime,
      b: Type.String({ format: "uri" }),
      c: Type.Array(Type.String({ pattern: SLUGID_PATTERN })),
      d: Type.Unsafe({}),
    });
    const types = rowsOf(schema).map((r) => ("type" in r ? [r.type, r.notes] : r));
    expect(types).toEqual([
      ["time", []],
      ["URL", []],
      ["list of slugid", []],
      ["anything", []],
    ]);
  });

  it("links to separately published schemas instead of expanding them", () => {
    expect(rowsOf(exactly({ egg: Egg, eggs: Type.Array(Egg) }))).toEqual([
      { ...row, path: "egg", type: "object", link: egg },
      { ...row, path: "eggs", type: "list of object", link: egg },
    ]);
    expect(outline(egg, [egg])).toMatchObject([{ path: "laid" }]);
  });

  it("shows members of any name under a star", () => {
    const schema = Type.Unsafe({ type: "object", additionalProperties: { type: "string", maxLength: 5 } });
    expect(rowsOf(schema)).toMatchObject([{ path: "*", type: "string", notes: ["at most 5 characters"] }]);
  });

  it("has a heading for each form, which names the member that distinguishes it", () => {
    const schema = oneOf(
      exactly({ kind: oneOfStrings(["egg"]), laid: DateTime }),
      exactly({ feathers: Type.Integer() }),
    );
    expect(rowsOf(schema)).toMatchObject([
      { form: "where `kind` is `egg`" },
      { path: "kind" },
      { path: "laid" },
      { form: "form 2" },
      { path: "feathers" },
    ]);
  });
});
