// Finds the lines of text that call `taskyard`, and checks them against the declarations of the commands.
import { UsageError } from "../../src/cli/cli-error.ts";
import { parseCommandLine } from "../../src/cli/command-line.ts";
import { commands } from "../../src/cli/commands.ts";
import type { Command } from "../../src/cli/command.ts";

/** Returns the words after each `taskyard` of a shell script, unit file or similar text. */
export function commandLinesIn(text: string): string[][] {
  const joined = text.replaceAll(/\\\n\s*/g, " ");
  return [...joined.matchAll(/(?<=^|[\s("'/])taskyard(?=\s)/gm)]
    .map(({ index }) => shellWords(joined.slice(index + "taskyard".length)))
    .filter((words) => words.length > 0);
}

/** Returns the words of a command up to its end: a line break, an operator, a comment or a closing parenthesis. */
function shellWords(text: string): string[] {
  const word = /[^\S\n]*((?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\|;&<>()#`]|(?<=\S)#)+)/y;
  const words: string[] = [];
  for (let match = word.exec(text); match !== null; match = word.exec(text)) {
    words.push(unquoted(match[1] ?? ""));
  }
  return words;
}

const unquoted = (word: string): string =>
  word.replaceAll(
    /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g,
    (_, single?: string, double?: string, escaped?: string) =>
      single ?? double?.replaceAll(/\\(["\\$`])/g, "$1") ?? escaped ?? "",
  );

/** Returns why these words are no call of a command, or undefined. A text may name a command without its arguments. */
export function problemOfCommand(words: readonly string[]): string | undefined {
  const [first = "", ...rest] = words;
  if (["--help", "-h", "--version", "-V"].includes(first)) return undefined;
  if (first === "help") return rest.length === 0 ? undefined : problemOfCommand(rest);
  const line = `${words.join(" ")} `;
  const command = commands.find(({ name }) => line.startsWith(`${name} `));
  if (command === undefined) {
    const isGroup = commands.some(({ name }) => name.startsWith(line));
    return isGroup || first === "COMMAND" ? undefined : `there is no command ${words.slice(0, 2).join(" ")}`;
  }
  return problemOfArguments(command, words.slice(command.name.split(" ").length));
}

function problemOfArguments(command: Command, words: readonly string[]): string | undefined {
  const required = command.args.filter(({ optional }) => optional !== true).map(({ name }) => name);
  for (const more of [[], required]) {
    try {
      parseCommandLine(command, [...words, ...more]);
      return undefined;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      if (more.length > 0 || required.length === 0 || !error.message.includes(" needs "))
        return error.message;
    }
  }
  return undefined;
}
