// Help texts, derived from the declarations of commands.
import { argumentText } from "./command-line.ts";
import type { Command, Flag, Valued } from "./command.ts";
import type { Colors } from "./colors.ts";

const width = 90;

/** Returns the help of the program. */
export function programHelp(commands: readonly Command[], colors: Colors): string {
  return [
    "Taskyard runs tasks and graphs of tasks: a queue, workers, logs and artifacts, on one machine or on many.",
    "",
    `${colors.bold("Usage:")} taskyard COMMAND [OPTIONS]`,
    "",
    colors.bold("Commands:"),
    ...table(commands.map(({ name, summary }) => [name, summary])),
    "",
    colors.bold("Getting started:"),
    ...table([
      ["taskyard up", "Start a server and a worker on this machine."],
      ["taskyard run -- echo hello", "Run a task, from another shell."],
    ]),
    "",
    "Run `taskyard COMMAND --help` for more about a command.",
    "",
    "Commands use the server at TASKCLUSTER_ROOT_URL, with the credentials TASKCLUSTER_CLIENT_ID and " +
      "TASKCLUSTER_ACCESS_TOKEN. If TASKCLUSTER_ROOT_URL is not set, they use the server that `taskyard up` started.",
  ]
    .flatMap((line) => (line.startsWith("  ") ? [line] : wrap(line, 0)))
    .join("\n");
}

/** Returns the help of a group of commands, such as `taskyard task`. */
export function groupHelp(group: string, commands: readonly Command[], colors: Colors): string {
  return [
    `${colors.bold("Usage:")} taskyard ${group} COMMAND [OPTIONS]`,
    "",
    colors.bold("Commands:"),
    ...table(commands.map(({ name, summary }) => [name, summary])),
    "",
    `Run \`taskyard ${group} COMMAND --help\` for more about a command.`,
  ].join("\n");
}

/** Returns the help of a command. */
export function commandHelp(command: Command, colors: Colors): string {
  const { name, summary, details = [], args, options, examples } = command;
  const usage = ["taskyard", name, "[OPTIONS]", ...args.map(argumentText)].join(" ");
  const rows: [string, string][] = Object.entries(options).map(([key, option]) => [
    optionText(key, option),
    option.summary,
  ]);
  return [
    ...wrap(summary, 0),
    ...details.flatMap((paragraph) => ["", ...wrap(paragraph, 0)]),
    "",
    `${colors.bold("Usage:")} ${usage}`,
    "",
    colors.bold("Options:"),
    ...table([...rows, ["-h, --help", "Print this help."]]),
    "",
    colors.bold("Examples:"),
    ...examples.flatMap((example) => [`  ${example.command}`, ...wrap(colors.dim(example.description), 6)]),
  ].join("\n");
}

function optionText(name: string, option: Flag | Valued): string {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  return `${short}--${name}${option.type === "flag" ? "" : ` ${option.value}`}`;
}

/** Formats two columns. A left cell that is too long gets its own line. */
function table(rows: readonly (readonly [string, string])[]): string[] {
  const column = Math.min(28, Math.max(...rows.map(([left]) => left.length)));
  return rows.flatMap(([left, right]) => {
    const [first = "", ...more] = wrap(right, column + 4);
    if (left.length > column) return [`  ${left}`, first, ...more];
    return [`  ${left.padEnd(column)}  ${first.trimStart()}`, ...more];
  });
}

function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((l) => " ".repeat(indent) + l);
}
