import fc from "fast-check";
import { expect, test } from "vitest";
import { anyText } from "../../../test/support/arbitrary-text.ts";
import { parseYaml } from "../parse-yaml.ts";
import { formatDefinitions } from "./format-definitions.ts";
import type { Definition, Kind } from "./kind.ts";
import { kinds } from "./kinds.ts";
import { readDeploymentFile } from "./read-file.ts";

const ascii = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((n) => String.fromCodePoint(n)) });
const oddText = fc.constantFrom(
  ...'<< = ~ null yes 1e3 0x1f 3.10 &a * !t __proto__ constructor % --- { " | > 2030-01-01'.split(" "),
  "'",
  "- a",
  "? a",
  "a: b",
  "a #b",
  " a",
  "a ",
);
const scope = fc.oneof(ascii, oddText).filter((text) => !text.endsWith("**") && !text.includes("<..>"));
const scopes = fc.uniqueArray(scope, { maxLength: 3 });
/** Few ids suffice: each is formatted and read on its own. */
const few = { maxKeys: 3 };
const description = fc.oneof(
  anyText(),
  fc.string({
    unit: fc.constantFrom("a", ":", " ", "#", "-", "\n", "\r", "\t", "\u0085", "\u2028", "\ufeff", "'", '"'),
  }),
  oddText,
);
const odd = fc.oneof(description, oddText);
/** Any JSON. */
const json = fc.jsonValue({ maxDepth: 2 });
const arbitraries: Readonly<Record<string, fc.Arbitrary<Record<string, Definition>>>> = {
  roles: fc.dictionary(
    fc.oneof(ascii, oddText).filter((id) => id !== ""),
    fc.record({ description, scopes }),
    few,
  ),
  clients: fc.dictionary(
    fc.oneof(
      fc.stringMatching(/^[A-Za-z0-9!@/:.+|_-]+$/),
      fc.constantFrom("1e3", "|", "-", "!t", "null", "1.0"),
    ),
    fc.record({
      description,
      expires: fc
        .date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true })
        .map((date) => date.toISOString()),
      deleteOnExpiration: fc.boolean(),
      disabled: fc.boolean(),
      scopes,
    }),
    few,
  ),
  pools: fc.dictionary(
    fc.stringMatching(/^[A-Za-z0-9_-]{1,9}\/[a-z]([-a-z0-9]{0,9}[a-z0-9])?$/),
    fc.record({
      providerId: fc.constantFrom("google", "1e3"),
      description: oddText,
      owner: fc.constant("a@example.com"),
      emailOnError: fc.boolean(),
      config: fc.dictionary(odd, fc.oneof(json, odd, fc.array(odd, { maxLength: 2 })), few),
    }),
    few,
  ),
};

/** Returns what a file says, by id. */
function readBack(kind: Kind, text: string): Map<string, Definition> {
  const file = readDeploymentFile(parseYaml(text, "f.yml"), "f.yml");
  file.problems.throwIfAny();
  return new Map(file.entries.map(({ id, definition }) => [id, kind.complete(definition)]));
}

test.each(kinds.filter(({ name }) => name in arbitraries).map((kind) => ({ name: kind.name, kind })))(
  "any $name are read as they were written, and their order has no influence on the text",
  ({ name, kind }) => {
    fc.assert(
      fc.property(arbitraries[name] ?? fc.constant({}), (given: Record<string, Definition>) => {
        const entries = Object.entries(given)
          .filter(([id]) => kind.isReserved?.(id) !== true)
          .map(([id, definition]) => [id, kind.complete(definition)] as const);
        const text = formatDefinitions(kind, new Map(entries));
        expect(readBack(kind, text)).toEqual(new Map(entries));
        expect(formatDefinitions(kind, new Map(entries.toReversed()))).toBe(text);
      }),
      { numRuns: 300 },
    );
  },
);
