// Help, derived from the table of commands.
import { argumentText } from "./command-line.ts";
import type { Command, Flag, Valued } from "./command.ts";
import type { Colors } from "./colors.ts";

const width = 90;

/** The help of the program. */
export function programHelp(commands: readonly Command[], colors: Colors): string {
  return [
    "Taskyard runs graphs of tasks: a queue, workers, logs and artifacts, on this machine or on many.",
    "",
    `${colors.bold("Usage:")} taskyard COMMAND [OPTIONS]`,
    "",
    colors.bold("Commands:"),
    ...table(commands.map(({ name, summary }) => [name, summary])),
    "",
    colors.bold("First steps:"),
    ...table([
      ["taskyard up", "start a server and a worker here"],
      ["taskyard run -- echo hello", "run a task, from another shell"],
    ]),
    "",
    "taskyard COMMAND --help says more about a command. Commands talk to the server that TASKCLUSTER_ROOT_URL names, " +
      "with TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN; without it, to the one that `taskyard up` started.",
  ]
    .flatMap((line) => (line.startsWith("  ") ? [line] : wrap(line, 0)))
    .join("\n");
}

/** The help of a group of commands: `taskyard task`. */
export function groupHelp(group: string, commands: readonly Command[], colors: Colors): string {
  return [
    `${colors.bold("Usage:")} taskyard ${group} COMMAND [OPTIONS]`,
    "",
    colors.bold("Commands:"),
    ...table(commands.map(({ name, summary }) => [name, summary])),
  ].join("\n");
}

/** The help of one command. */
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
    ...table([...rows, ["-h, --help", "Print this."]]),
    "",
    colors.bold("Examples:"),
    ...examples.flatMap((example) => [`  ${example.command}`, ...wrap(colors.dim(example.says), 6)]),
  ].join("\n");
}

function optionText(name: string, option: Flag | Valued): string {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  return `${short}--${name}${option.type === "flag" ? "" : ` ${option.value}`}`;
}

/** Two columns; a left side that is too long gets a line of its own. */
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
