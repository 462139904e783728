// JSON text that is put together without being parsed.
import fc from "fast-check";
import { expect, expectTypeOf, it } from "vitest";
import { jsonArray, jsonMembers, jsonObject, jsonOf, parseJson, type Json } from "./json.ts";

it("text that is assembled from parts equals the serialized value", () => {
  const name = fc.stringMatching(/^[a-zA-Z]\w{0,10}$/);
  const value = fc.jsonValue();
  fc.assert(
    fc.property(fc.dictionary(name, value), fc.array(value), value, (plain, list, one) => {
      const text = jsonObject({ ...jsonMembers(plain), list: jsonArray(list.map(jsonOf)), one: jsonOf(one) });
      expect(text).toBe(JSON.stringify({ ...plain, list, one }));
      expect(parseJson(text)).toEqual(JSON.parse(JSON.stringify({ ...plain, list, one })));
    }),
  );
  expect([jsonObject({}), jsonArray([])]).toEqual(["{}", "[]"]);
});

it("text keeps the type of its value", () => {
  const more: { readonly continuationToken?: string } = {};
  const text = jsonObject({ ...jsonMembers({ id: "a", ...more }), items: jsonArray([jsonOf(1)]) });
  expectTypeOf(text).toEqualTypeOf<Json<{ id: string; continuationToken?: string; items: number[] }>>();
  expectTypeOf(parseJson(text).items).toEqualTypeOf<number[]>();
  expectTypeOf<Json<{ n: string }>>().not.toExtend<Json<{ n: number }>>();
  expectTypeOf<string>().not.toExtend<Json<unknown>>();
});
