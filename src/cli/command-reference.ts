// Renders the reference page of the command line from the declarations of the commands.
import type { Colors } from "./colors.ts";
import type { Command } from "./command.ts";
import { commandHelp } from "./help.ts";

/** Returns the page. */
export function renderCommandReference(commands: readonly Command[]): string {
  const rows = commands.map(
    ({ name, summary }) => `| [\`${name}\`](#${anchorOf(name)}) | ${escaped(summary)} |`,
  );
  return `${[
    "# Commands",
    "<!-- Generated from src/cli by `npm run generate`. -->",
    "`taskyard COMMAND --help` prints the same. Options may precede and follow arguments.",
    ["| command | what it does |", "| --- | --- |", ...rows].join("\n"),
    ...commands.flatMap((command) => [
      `## taskyard ${command.name}`,
      `\`\`\`text\n${commandHelp(command, plain)}\n\`\`\``,
    ]),
  ].join("\n\n")}\n`;
}

const same = (text: string): string => text;
const plain: Colors = { bold: same, dim: same, red: same, green: same, yellow: same };

/** Returns the anchor of the heading of a command. */
const anchorOf = (name: string): string => `taskyard-${name.replaceAll(" ", "-")}`;

const escaped = (text: string): string => text.replaceAll("|", "\\|");
