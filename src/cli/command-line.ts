// Parses the words of a command line into a call of a command.
import { parseArgs } from "node:util";
import { didYouMean } from "../lib/did-you-mean.ts";
import { isSlugid } from "../lib/slugid.ts";
import { UsageError } from "./cli-error.ts";
import type { Argument, Command, Options, ParsedLine } from "./command.ts";

type Parsed = ParsedLine & {
  /** The user requested help instead. */
  readonly help: boolean;
};

// Task ids may start with a dash, and users paste them from our output: they must not be parsed as options.
const dashedId = "\0";
const hide = (word: string): string => (word.startsWith("-") && isSlugid(word) ? dashedId + word : word);
const show = (word: string): string => (word.startsWith(dashedId) ? word.slice(dashedId.length) : word);

/** Parses the words after a command's name. Throws a `UsageError` that suggests a correction. */
export function parseCommandLine(command: Command, words: readonly string[]): Parsed {
  const [own, rest] = splitRest(command, words.map(hide));
  const { tokens } = tokenize(command, own);
  const values: Record<string, boolean | string | string[] | undefined> = {};
  const args: string[] = [];
  for (const [name, option] of Object.entries(command.options)) {
    if (option.type === "flag") values[name] = false;
    else if (option.multiple) values[name] = [];
  }
  for (const token of tokens) {
    if (token.kind === "positional") args.push(show(token.value));
    if (token.kind !== "option") continue;
    const { name, rawName, inlineValue } = token;
    if (name === "help" || rawName === "-h") return { help: true, options: {}, args: [] };
    const option = command.options[name];
    if (option === undefined) throw unknownOption(command, rawName);
    if (option.type === "flag") {
      if (token.value !== undefined) throw new UsageError(`${rawName} takes no value: omit it`);
      values[name] = true;
      continue;
    }
    const value = token.value;
    if (value === undefined || (!inlineValue && isOption(command.options, value))) {
      throw new UsageError(`${rawName} needs a value: ${rawName} ${option.value}`);
    }
    const before = values[name];
    if (option.multiple) values[name] = [...(Array.isArray(before) ? before : []), show(value)];
    else if (before !== undefined) throw new UsageError(`${rawName} is given twice: give it once`);
    else values[name] = show(value);
  }
  args.push(...rest.map(show));
  checkArguments(command, args);
  return { help: false, options: values, args };
}

function tokenize(command: Command, words: readonly string[]) {
  const options = Object.entries(command.options).map(([name, { type, short }]) => [
    name,
    { type: type === "flag" ? "boolean" : "string", multiple: true, ...(short !== undefined && { short }) },
  ]);
  return parseArgs({
    args: [...words],
    options: Object.fromEntries(options) as Record<string, { type: "string" | "boolean" }>,
    // Validated here and not by parseArgs, whose messages have neither our command names nor suggestions.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
}

/** If the last argument takes the rest, options end at the first argument or at `--`. */
function splitRest(command: Command, words: readonly string[]): [own: string[], rest: string[]] {
  if (command.args.at(-1)?.rest !== true) return [[...words], []];
  const { tokens } = tokenize(command, words);
  const first = tokens.find(({ kind }) => kind !== "option");
  if (first === undefined) return [[...words], []];
  const start = first.kind === "option-terminator" ? first.index + 1 : first.index;
  return [words.slice(0, first.index), words.slice(start)];
}

function isOption(options: Options, word: string): boolean {
  if (!word.startsWith("-")) return false;
  const name = word.replace(/^--?/, "").split("=", 1)[0] ?? "";
  return word.startsWith("--")
    ? word === "--" || Object.hasOwn(options, name)
    : Object.values(options).some(({ short }) => short === name);
}

function unknownOption(command: Command, rawName: string): UsageError {
  const names = [...Object.keys(command.options), "help"];
  const known = names.map((name) => `--${name}`);
  const meant = /^-[a-z]$/.test(rawName) ? longOption(rawName.slice(1), names) : didYouMean(rawName, known);
  return new UsageError(
    `${command.name} has no option ${rawName}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
  );
}

/** Returns the only option that has a word with this first letter: `--task-queue` for `q`. */
function longOption(letter: string, names: readonly string[]): string | undefined {
  const [meant, another] = names.filter((name) => name.split("-").some((word) => word.startsWith(letter)));
  return another === undefined && meant !== undefined ? `--${meant}` : undefined;
}

function checkArguments({ name, args: declared }: Command, given: readonly string[]): void {
  const missing = declared.find((argument, i) => argument.optional !== true && given[i] === undefined);
  if (missing !== undefined) throw new UsageError(`${name} needs ${missing.name}`);
  const last = declared.at(-1);
  const most = last?.rest === true || last?.many === true ? Infinity : declared.length;
  const extra = given[most];
  if (extra !== undefined) {
    const takes = most === 0 ? "no arguments" : declared.map(argumentText).join(" ");
    throw new UsageError(`${name} takes ${takes}; unexpected argument: ${extra}`);
  }
}

/** Formats an argument as in usage lines. */
export function argumentText({ name, optional, many, rest }: Argument): string {
  const text = rest === true ? `[--] ${name}…` : many === true ? `${name}…` : name;
  return optional === true ? `[${text}]` : text;
}
