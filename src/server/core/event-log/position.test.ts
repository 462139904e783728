import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodePosition, encodePosition, type Mark, type Position } from "./position.ts";

const natural = fc.oneof(fc.nat(300), fc.maxSafeNat());
const mark: fc.Arbitrary<Mark> = fc.record({
  epoch: fc.nat(1000),
  lastId: natural,
  inFlight: fc.uniqueArray(natural, { maxLength: 200 }).map((xids) => xids.sort((a, b) => a - b)),
});
const boundary: fc.Arbitrary<Position> = fc.record({ log: fc.nat(2 ** 24), done: mark });
const within: fc.Arbitrary<Position> = fc.record({
  log: fc.nat(2 ** 24),
  done: mark,
  window: fc.record({ until: mark, cursor: natural }),
});
const position = fc.oneof(boundary, within);

const example: Position = {
  log: 1_445_284,
  done: { epoch: 1, lastId: 1_234_567, inFlight: [3_456_789, 3_456_791] },
  window: { until: { epoch: 1, lastId: 1_234_590, inFlight: [3_456_801] }, cursor: 1_234_571 },
};

describe("the text of a position", () => {
  test("is decoded to the same position", () => {
    fc.assert(
      fc.property(position, (p) => {
        expect(decodePosition(encodePosition(p))).toEqual(p);
      }),
    );
  });

  test("is safe in URLs and headers, and short", () => {
    fc.assert(fc.property(position, (p) => encodeURIComponent(encodePosition(p)) === encodePosition(p)));
    expect(encodePosition(example)).toHaveLength(44);
  });

  test("is refused with one character changed, or truncated", () => {
    const alphabet = "ABCXYZabcxyz0189-_.".split("");
    fc.assert(
      fc.property(position, fc.nat(), fc.constantFrom(...alphabet), fc.boolean(), (p, at, char, cut) => {
        const text = encodePosition(p);
        const i = at % text.length;
        const harmed = cut ? text.slice(0, i) : text.slice(0, i) + char + text.slice(i + 1);
        fc.pre(harmed !== text);
        expect(() => decodePosition(harmed)).toThrow(/^The position/);
      }),
    );
  });

  test("of any other form is refused with the reason", () => {
    const refusal = (text: string): unknown => {
      try {
        return decodePosition(text);
      } catch (err) {
        return err;
      }
    };
    expect(refusal("42")).toMatchObject({
      code: "InputError",
      message:
        'The position "42" is malformed. Pass the id of an event exactly as it was received, or omit the position to begin now.',
    });
    expect(refusal(`2.${encodePosition(example).slice(2)}`)).toMatchObject({
      message: expect.stringContaining("was made by a newer version of Taskyard"),
    });
    expect(refusal(encodePosition(example).slice(0, -1))).toMatchObject({ code: "InputError" });
    expect(refusal(`1.${"A".repeat(9000)}.AAAAAA`)).toMatchObject({
      message: expect.stringMatching(/^The position "1\.A{58}…" is malformed/),
    });
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(refusal(text)).toMatchObject({ code: "InputError" });
      }),
    );
  });
});
