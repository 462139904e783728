import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { CliError } from "./cli-error.ts";
import { parseYaml } from "./parse-yaml.ts";

const valueOf = (source: string): unknown => parseYaml(source, "f.yml").value;

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
  expect(problemsOf("[".repeat(100_000) + "]".repeat(100_000))[0]).toMatch(
    /^f\.yml:1:\d+: nested too deeply$/,
  );
});
