// Random text.
import fc from "fast-check";

/**
 * Any code point but the halves of surrogate pairs. Not the unit "binary" of fast-check: its first use in a process
 * builds a map of all code points, which takes a second and 100 MB.
 */
export const anyCodePoint = fc
  .nat({ max: 0x10ffff - 0x800 })
  .map((n) => String.fromCodePoint(n < 0xd800 ? n : n + 0x800));

export const anyText = (constraints: { minLength?: number; maxLength?: number } = {}): fc.Arbitrary<string> =>
  fc.string({ unit: anyCodePoint, ...constraints });
