// Parsing piece by piece gives what parsing in one go gives.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseLongList } from "./long-list.ts";

const parsed = (text: string) => parseLongList(text, "tasks", () => undefined);

describe("a body with a long list", () => {
  it("is what JSON.parse makes of it, whatever stands in it and around it", async () => {
    const member = fc.tuple(fc.string({ unit: "binary" }), fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ stringUnit: "binary" })),
        fc.array(member, { maxLength: 3 }),
        fc.array(member, { maxLength: 3 }),
        fc.constantFrom(undefined, 1, "\t"),
        async (tasks, before, after, indent) => {
          const members = [...before, ["tasks", tasks] as const, ...after].filter(
            ([name], i) => name !== "tasks" || i === before.length,
          );
          const text = JSON.stringify(Object.fromEntries(members), null, indent);
          expect(await parsed(text)).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  it("is refused where JSON.parse refuses it", async () => {
    const texts = [
      "",
      "{",
      '{"tasks":[1',
      '{"tasks":[1,]}',
      '{"tasks":[,1]}',
      '{"tasks":[1}',
      '{"tasks":[1]]}',
    ];
    texts.push(
      '{"tasks":[1]',
      '{"tasks":[1],}',
      '{"tasks":[1]} x',
      '{"tasks" 1:[1]}',
      '{"tasks":["a\nb"]}',
      "[1]",
    );
    for (const text of texts) await expect(parsed(text), text).rejects.toThrow(/^Failed to parse JSON: /);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...'{}[],:"\\a1 '.split(""))), async (letters) => {
        const text = `{"tasks":[${letters.join("")}]}`;
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          await expect(parsed(text)).rejects.toThrow(/^Failed to parse JSON: /);
          return;
        }
        const twice = /"tasks".*"tasks"/.test(text);
        if (!twice) expect(await parsed(text)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it("says which element is wrong", async () => {
    await expect(parsed('{"tasks":[1,{"a":}]}')).rejects.toThrow(/^Failed to parse JSON: tasks\[1\]: /);
  });

  it("must have it once, by its own name", async () => {
    for (const text of ['{"dryRun":true}', '{"tasks":[],"tasks":[]}', '{"tasks":{}}'])
      await expect(parsed(text)).rejects.toThrow(
        "Failed to parse JSON: a body of this size must be an object with the list tasks, given once",
      );
  });

  it("has its elements looked at, and the rest", async () => {
    const seen: unknown[] = [];
    await parseLongList('{"a":1,"tasks":[2,[3]]}', "tasks", (part) => void seen.push(part));
    expect(seen).toEqual(['{"a":1,"tasks":[]}', "2", "[3]"]);
  });

  it("lets others go on meanwhile", async () => {
    const element = JSON.stringify({ a: "x".repeat(3000) });
    const text = `{"tasks":[${Array.from({ length: 5000 }, () => element).join(",")}]}`;
    let turns = 0;
    let done = false;
    const count = (): void => {
      turns++;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    await parsed(text);
    done = true;
    expect(turns).toBeGreaterThan(1);
  });
});
