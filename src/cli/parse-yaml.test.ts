import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { CliError } from "./cli-error.ts";
import { parseYaml } from "./parse-yaml.ts";
import { plainValue } from "./written-scalar.ts";

const valueOf = (source: string, schema?: object): unknown =>
  plainValue(parseYaml(source, "f.yml").value, schema, (path, text) => {
    throw new CliError(`${path.join(".")}: ${text}`);
  });

/** The lines of the error message. */
function problemsOf(source: string): string[] {
  try {
    valueOf(source);
  } catch (error) {
    if (error instanceof CliError) return error.message.split("\n");
    throw error;
  }
  throw new Error("the source was accepted");
}

test("JSON and YAML are parsed to their values", () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const value: unknown = JSON.parse(json);
      expect(valueOf(json)).toEqual(value);
      expect(valueOf(stringify(value, { aliasDuplicateObjects: false }))).toEqual(value);
    }),
  );
});

test("an anchor may be used and merged any number of times", () => {
  const uses = Array.from({ length: 500 }, (_, n) => `  t${n}: { <<: *base, env: *env }`).join("\n");
  expect(valueOf(`base: &base { a: 1 }\nenv: &env { B: 2 }\ntasks:\n${uses}\n`)).toMatchObject({
    tasks: { t0: { a: 1, env: { B: 2 } }, t499: { a: 1, env: { B: 2 } } },
  });
});

test("an undefined alias is reported with its position", () => {
  expect(problemsOf("a: 1\nb: { c: *none }\nd: &d [*d]\n")).toEqual([
    "f.yml:2:9: *none is undefined: no anchor &none ends before it",
    "f.yml:3:8: *d is undefined: no anchor &d ends before it",
  ]);
});

test("aliases that multiply are refused before they fill the memory", () => {
  const levels = "b c d e f g h i j"
    .split(" ")
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefghi"[i]}`).join(", ")}]`);
  expect(problemsOf(["a: &a [x, x, x]", ...levels].join("\n"))[0]).toMatch(
    /^f\.yml:9:8: \*h expands to more than 5000000 values$/,
  );
});

test("messages describe the file and not the parser", () => {
  expect(problemsOf("a: !env X\n")).toEqual(["f.yml:1:4: Unresolved tag: !env"]);
  expect(problemsOf("a: 1\n---\nb: 2\n")).toEqual([
    "f.yml:2:1: a second document starts here; the file must contain only one",
  ]);
  expect(problemsOf("a: 1\na: 2\n")).toEqual(["f.yml:2:1: duplicate key: the object has this key already"]);
  expect(problemsOf("a: { <<: 1 }\n")[0]).toMatch(/^f\.yml:1:1: /);
  expect(problemsOf("[".repeat(20_000) + "]".repeat(20_000))[0]).toMatch(/^f\.yml:1:\d+: nested too deeply$/);
});

// Octal, hexadecimal, grouped, of YAML 1.1, beyond 2^53, with a fraction that ends in 0.
const scalars =
  "3.10 0x10 0o17 017 1_000 1234567e8 9007199254740993 1e400 .inf +5 True yes on 2026-01-31 12:30:00 -0 1.50";

test("scalars and keys are as written where a string is needed, also through aliases and merges", () => {
  const texts = scalars.split(" ");
  const schema = { additionalProperties: { type: "string" } };
  for (const start of ["", "%YAML 1.1\n---\n"]) {
    const lines = texts.map((text, i) => `k${i}: &a${i} ${text}\n`).join("");
    expect(valueOf(start + lines, schema)).toEqual(
      Object.fromEntries(texts.map((text, i) => [`k${i}`, text])),
    );
    const keys = texts.map((text) => `${text}: ${text}\n`).join("");
    expect(valueOf(start + keys, schema)).toEqual(Object.fromEntries(texts.map((text) => [text, text])));
  }
  expect(
    valueOf("a: &v 3.10\nb: *v\nc: { <<: { d: 1.0 } }\n", { additionalProperties: { type: "string" } }),
  ).toEqual({
    a: "3.10",
    b: "3.10",
    c: { d: 1 },
  });
  expect(valueOf("a: ~\nb:\n", schema)).toEqual({ a: null, b: null });
});

test("a number that JSON cannot contain as written is refused where no string is needed", () => {
  expect(valueOf("[3.10, 0x10, 1234567e8, 017, 123456789012345680000, -1.50e3, 1.5e-3]")).toEqual([
    3.1, 16, 123456700000000, 17, 123456789012345680000, -1500, 0.0015,
  ]);
  expect(problemsOf("a: [9007199254740993]")).toEqual([
    "a.0: 9007199254740993 has more digits than a number keeps, and would become 9007199254740992; put it in quotes",
  ]);
  for (const text of ["1e400", ".inf", "-.INF", ".nan"])
    expect(problemsOf(`a: ${text}`)).toEqual([`a: ${text} is not a number in JSON; put it in quotes`]);
});
