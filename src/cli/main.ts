// The command line: finds and runs a command, and turns errors into messages and an exit status.
import { exitStatus, UsageError } from "./cli-error.ts";
import { useProxyOf } from "../lib/proxy.ts";
import { parseCommandLine } from "./command-line.ts";
import type { Command } from "./command.ts";
import { commands } from "./commands.ts";
import { explainError } from "./explain-error.ts";
import { commandHelp, groupHelp, programHelp } from "./help.ts";
import { processIo, writeLine, type Io } from "./io.ts";
import { colorsFor } from "./colors.ts";
import { unknownCommand, unknownMember } from "./unknown-command.ts";

// What a command leaves open, such as a connection that another program keeps alive, holds the process no longer than this.
const lingerMs = 2000;

/** Runs `taskyard ARGV…` and resolves to its exit status. Never rejects. */
export async function main(argv: readonly string[], io: Io = processIo()): Promise<number> {
  let isStopped = false;
  const onStop: Io["onStop"] = (handler) =>
    io.onStop((signal) => {
      isStopped = true;
      handler(signal);
    });
  const status = await run(argv, { ...io, onStop });
  const leave = (): void => {
    // The reader of our output may be slow. A command that was requested to stop does not wait for one that does not read.
    if (isStopped || io.stdout.writableLength + io.stderr.writableLength === 0) io.exit(status);
    else setTimeout(leave, lingerMs).unref();
  };
  setTimeout(leave, lingerMs).unref();
  return status;
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  let name = "";
  try {
    const found = find(argv, io);
    if (found === undefined) return exitStatus.ok;
    name = ` ${found.command.name}`;
    const { help, ...call } = parseCommandLine(found.command, found.words);
    if (help) {
      writeLine(io.stdout, commandHelp(found.command, colorsFor(io.stdout, io.env)));
      return exitStatus.ok;
    }
    await useProxyOf(io.env);
    return await found.command.run({ ...call, io });
  } catch (error) {
    return reportError(error, name, io);
  }
}

/** Returns the command that the first words name. If they request help, prints it and returns undefined. */
function find(argv: readonly string[], io: Io): { command: Command; words: readonly string[] } | undefined {
  const colors = colorsFor(io.stdout, io.env);
  const [first, second] = argv;
  if (first === "--version" || first === "-V" || first === "-v")
    return find(["version", ...argv.slice(1)], io);
  if (first === "help" && second !== undefined) return find([...argv.slice(1), "--help"], io);
  if (first === undefined || isHelp(first) || first === "help") {
    writeLine(io.stdout, programHelp(commands, colors));
    if (first === undefined) throw new UsageError("no command given: choose one of those above");
    return undefined;
  }
  const single = commands.find(({ name }) => name === first);
  if (single) return { command: single, words: argv.slice(1) };

  if (!commands.some(({ name }) => name.startsWith(`${first} `))) throw unknownCommand(first, commands);
  return findMember(first, argv.slice(1), io);
}

/** Returns the command of a group, which may have groups of its own: `auth client list`. */
function findMember(
  group: string,
  [word, ...words]: readonly string[],
  io: Io,
): { command: Command; words: readonly string[] } | undefined {
  const members = commands.filter(({ name }) => name.startsWith(`${group} `));
  if (word === undefined || isHelp(word)) {
    writeLine(io.stdout, groupHelp(group, members, colorsFor(io.stdout, io.env)));
    if (word === undefined) throw new UsageError(`${group} needs a command: choose one of those above`);
    return undefined;
  }
  const name = `${group} ${word}`;
  const member = members.find((one) => one.name === name);
  if (member) return { command: member, words };
  if (members.some((one) => one.name.startsWith(`${name} `))) return findMember(name, words, io);
  throw unknownMember(group, word, members);
}

const isHelp = (word: string): boolean => word === "--help" || word === "-h";

/** Prints the error and returns the exit status. */
function reportError(error: unknown, command: string, io: Io): number {
  const colors = colorsFor(io.stderr, io.env);
  const print = (text: string): void => writeLine(io.stderr, `${colors.red("error:")} ${text}`);
  if (error instanceof UsageError) {
    print(error.message);
    writeLine(io.stderr, `See: taskyard${command} --help`);
    return exitStatus.usage;
  }
  print(explainError(error, io));
  if (error instanceof Error && isBug(error)) writeLine(io.stderr, colors.dim(error.stack ?? ""));
  return exitStatus.failure;
}

/** Reports whether an error was thrown by the language itself: that is a bug in Taskyard, and its report needs the stack. */
const isBug = (error: Error): boolean =>
  [TypeError, ReferenceError, RangeError, SyntaxError].some((kind) => error instanceof kind) ||
  error.message === "";
