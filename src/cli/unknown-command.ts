// Suggestions for unknown commands.
import { didYouMean } from "../lib/did-you-mean.ts";
import { UsageError } from "./cli-error.ts";
import type { Command } from "./command.ts";

const firstWord = (name: string): string => name.split(" ", 1)[0] ?? name;
const lastWord = (name: string): string => name.slice(name.indexOf(" ") + 1);

/** What similar programs call a command. */
const synonyms: Readonly<Record<string, string>> = {
  info: "status",
  kill: "cancel",
  logs: "log",
  ls: "list",
  ps: "list",
  show: "status",
  start: "up",
  stop: "cancel",
  submit: "create",
  tail: "log",
};

/** The most suggestions of one message. The first ones are those that are used most: the help has the same order. */
const MAX_NAMED = 3;

/** Returns the error for an unknown first word. It may be the second word of commands, without their group. */
export function unknownCommand(word: string, commands: readonly Command[]): UsageError {
  const meant = synonyms[word] ?? word;
  const exact = commands.filter(({ name }) => name === meant || lastWord(name) === meant);
  if (exact.length > 0) {
    const names = exact.slice(0, MAX_NAMED).map(({ name }) => `\`taskyard ${name}\``);
    const more = exact.length > MAX_NAMED ? " `taskyard help` lists others of this name." : "";
    return new UsageError(`unknown command ${word}; did you mean ${names.join(" or ")}?${more}`);
  }
  return unknown("command", word, [...new Set(commands.map(({ name }) => firstWord(name)))]);
}

/** Returns the error for an unknown word after the name of a group. */
export function unknownMember(group: string, word: string, commands: readonly Command[]): UsageError {
  const known = [...new Set(commands.map(({ name }) => firstWord(name.slice(group.length + 1))))];
  const synonym = synonyms[word];
  const meant = synonym !== undefined && known.includes(synonym) ? synonym : word;
  return unknown(`${group} command`, word, known, meant);
}

function unknown(what: string, word: string, known: readonly string[], like: string = word): UsageError {
  const meant = didYouMean(like, known);
  const hint = meant === undefined ? `available: ${known.join(", ")}` : `did you mean ${meant}?`;
  // oxlint-disable-next-line messages/next-step -- the hint names it
  return new UsageError(`unknown ${what} ${word}; ${hint}`);
}
