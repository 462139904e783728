import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { CliError } from "./cli-error.ts";
import { parseYaml } from "./parse-yaml.ts";

const valueOf = (source: string): unknown => parseYaml(source, "f.yml").value;

function mistakes(source: string): string[] {
  try {
    valueOf(source);
  } catch (error) {
    if (error instanceof CliError) return error.message.split("\n");
    throw error;
  }
  throw new Error("nothing was wrong");
}

test("JSON and YAML are read as what they say", () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const value: unknown = JSON.parse(json);
      expect(valueOf(json)).toEqual(value);
      expect(valueOf(stringify(value, { aliasDuplicateObjects: false }))).toEqual(value);
    }),
  );
});

test("an anchor may be used as often as people like, also to be merged", () => {
  const uses = Array.from({ length: 500 }, (_, n) => `  t${n}: { <<: *base, env: *env }`).join("\n");
  expect(valueOf(`base: &base { a: 1 }\nenv: &env { B: 2 }\ntasks:\n${uses}\n`)).toMatchObject({
    tasks: { t0: { a: 1, env: { B: 2 } }, t499: { a: 1, env: { B: 2 } } },
  });
});

test("an alias that stands for nothing is told with its place", () => {
  expect(mistakes("a: 1\nb: { c: *none }\nd: &d [*d]\n")).toEqual([
    "f.yml:2:9: *none stands for nothing: no &none is complete before it",
    "f.yml:3:8: *d stands for nothing: no &d is complete before it",
  ]);
});

test("aliases that multiply are refused before they fill the memory", () => {
  const levels = "b c d e f g h i j"
    .split(" ")
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefghi"[i]}`).join(", ")}]`);
  expect(mistakes(["a: &a [x, x, x]", ...levels].join("\n"))[0]).toMatch(
    /^f\.yml:9:8: \*h stands for more than 5000000 values, which is the most$/,
  );
});

test("mistakes are told in words that do not speak of the parser", () => {
  expect(mistakes("a: !env X\n")).toEqual(["f.yml:1:4: Unresolved tag: !env"]);
  expect(mistakes("a: 1\n---\nb: 2\n")).toEqual([
    "f.yml:2:1: another document begins here, and a file has one",
  ]);
  expect(mistakes("a: 1\na: 2\n")).toEqual(["f.yml:2:1: this key is in the same object twice"]);
  expect(mistakes("a: { <<: 1 }\n")[0]).toMatch(/^f\.yml:1:1: /);
  expect(mistakes("[".repeat(100_000) + "]".repeat(100_000))[0]).toMatch(
    /^f\.yml:1:\d+: this is nested too deeply$/,
  );
});
