// The commands, settings, variables and metrics that the documents name exist.
import { expect, test } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { catalog, configFileVariable, otherVariables, sections } from "../../src/server/config/catalog.ts";
import { commandLinesIn, problemOfCommand } from "./command-lines.ts";
import { metricGroups } from "../../src/server/metrics-reference.ts";
import { documents, type Document } from "./documents.ts";

// A change log and decision records name what existed at their time.
const current = documents.filter(
  ({ path }) => path !== "CHANGELOG.md" && !path.startsWith("docs/decisions/"),
);

interface Finding {
  readonly where: string;
  readonly text: string;
}

/** Returns the code in a document, inline and in blocks. */
const codeOf = ({ path, blocks, inlineCode }: Document): Finding[] =>
  [...blocks, ...inlineCode].map(({ text, line }) => ({ where: `${path}:${line}`, text }));

const code = current.flatMap(codeOf);

test("every `taskyard …` is a command with options that it has", () => {
  // The reference is generated from the commands, and has usage lines.
  const written = code.filter(({ where }) => !where.startsWith("docs/reference/commands.md"));
  const calls = written.flatMap(({ where, text }) => commandLinesIn(text).map((words) => ({ where, words })));
  expect(calls.length).toBeGreaterThan(20);
  const problems = calls.flatMap(({ where, words }) => {
    const problem = problemOfCommand(words);
    return problem === undefined ? [] : [`${where}: taskyard ${words.join(" ")}: ${problem}`];
  });
  expect(problems).toEqual([]);
});

test("every example in the help of a command parses", () => {
  const lines = commands.flatMap(({ examples }) =>
    examples.flatMap((example) => commandLinesIn(example.command)),
  );
  expect(lines.length).toBeGreaterThanOrEqual(commands.length);
  expect(lines.map(problemOfCommand).filter((problem) => problem !== undefined)).toEqual([]);
});

test("every variable TASKYARD_… is one of a setting, and every section.key a setting", () => {
  const variables = new Set([
    ...[...catalog.values()].flatMap((entry) => entry.variables),
    configFileVariable,
    ...otherVariables,
  ]);
  const keyPattern = new RegExp(`^(?:${[...sections.keys()].join("|")})\\.[A-Za-z0-9]+$`);
  // The reference is generated from the settings.
  const written = code.filter(({ where }) => !where.startsWith("docs/reference/"));
  const unknown = written.flatMap(({ where, text }) => {
    const named = [...text.matchAll(/\bTASKYARD_[A-Z0-9_]*[A-Z0-9]\b/g)].map(([name]) => name);
    const keys = keyPattern.test(text) && !/\.(ts|json)$/.test(text) ? [text] : [];
    return [...named.filter((name) => !variables.has(name)), ...keys.filter((key) => !catalog.has(key))].map(
      (name) => `${where}: ${name}`,
    );
  });
  expect(unknown).toEqual([]);
});

test("every metric in the guides is declared", async () => {
  const names = (await metricGroups()).flatMap(([, metrics]) =>
    Object.values(metrics).map(({ name }) => name),
  );
  // Not just "worker", because tokens of tasks have claims such as `worker_id`.
  const familyOf = (name: string): string => /^(?:worker_manager|[a-z]+)/.exec(name)?.[0] ?? "";
  const families = new Set(names.map(familyOf));
  const guides = code.filter(({ where }) => where.startsWith("docs/guides/"));
  const named = guides.flatMap(({ where, text }) =>
    [...text.matchAll(/(?<![\w$])[a-z]+_[a-z_]+[a-z]\b/g)]
      .filter(([name]) => families.has(familyOf(name)))
      .map(([name]) => ({ where, name: name.replace(/_(bucket|sum|count)$/, "") })),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(
    named.filter(({ name }) => !names.includes(name)).map(({ where, name }) => `${where}: ${name}`),
  ).toEqual([]);
});
