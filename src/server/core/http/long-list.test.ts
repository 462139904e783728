// Parsing element by element returns the same value as JSON.parse.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyCodePoint, anyText } from "../../../../test/support/arbitrary-text.ts";
import { parseLongList } from "./long-list.ts";
import { parseUntrusted } from "./untrusted-json.ts";

const limits = { name: "tasks", elements: 10_000, elementLength: 100_000 };
const parsed = (text: string) =>
  parseLongList(text, limits, (part, place) => parseUntrusted(part, place, () => undefined));

describe("a body with a long list", () => {
  it("is parsed as JSON.parse does, with any elements and any other members", async () => {
    const member = fc.tuple(anyText(), fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ stringUnit: anyCodePoint })),
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

  it("is refused if JSON.parse refuses it", async () => {
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

  it("is refused with the index of an invalid element", async () => {
    await expect(parsed('{"tasks":[1,{"a":}]}')).rejects.toThrow(/^Failed to parse JSON: tasks\[1\]: /);
  });

  it("is refused with the path of a number beyond the range of doubles", async () => {
    await expect(parsed('{"tasks":[1,{"a":[-1e400]}]}')).rejects.toThrow(
      /^The number at tasks\[1\]\.a\[0\] is/,
    );
  });

  it("must have the list exactly once", async () => {
    for (const text of ['{"dryRun":true}', '{"tasks":[],"tasks":[]}', '{"tasks":{}}'])
      await expect(parsed(text)).rejects.toThrow(
        "Failed to parse JSON: a body of this size must be an object with the list tasks, given once",
      );
  });

  it("is parsed by element, and the rest as one text", async () => {
    const seen: unknown[] = [];
    await parseLongList('{"a":1,"tasks":[2,[3]]}', limits, (...part) => void seen.push(part));
    expect(seen).toEqual([
      ['{"a":1,"tasks":[]}', ""],
      ["2", "tasks[0]"],
      ["[3]", "tasks[1]"],
    ]);
  });

  it("is refused if it has too many elements, or one that is too long", async () => {
    const list = (elements: readonly string[]): string => `{"tasks":[${elements.join(",")}]}`;
    const long = (length: number): string => JSON.stringify("x".repeat(length - 2));
    await expect(parsed(list(["1", long(100_000)]))).resolves.toBeDefined();
    const refused = { code: "InputTooLarge" };
    await expect(parsed(list(["1", long(100_001)]))).rejects.toMatchObject({
      ...refused,
      message: "tasks[1] has more than 100000 characters, which is the maximum.",
    });
    await expect(parsed(list(Array.from({ length: 10_001 }, () => "{}")))).rejects.toMatchObject({
      ...refused,
      message: "tasks has more than 10000 elements, which is the maximum.",
    });
    await expect(parsed(`{"other":[${"[],".repeat(50_000)}],"tasks":[]}`)).rejects.toThrow(
      "no other member of more than 100000 characters",
    );
  });

  // The second one has too many elements, so it is searched and not parsed.
  it.each([
    ["while it is parsed", JSON.stringify({ a: "x".repeat(3000) }), 5_000],
    ["while its elements are found", `[${"[],".repeat(1000)}[]]`, 10_001],
  ])("does not block other work %s", async (_when, element, length) => {
    const text = `{"tasks":[${Array.from({ length }, () => element).join(",")}]}`;
    let iterations = 0;
    let done = false;
    const count = (): void => {
      iterations++;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    await parsed(text).catch(() => undefined);
    done = true;
    expect(iterations).toBeGreaterThan(1);
  });
});
