// Shows changes to people and to programs.
import { counted } from "../../lib/counted.ts";
import type { Colors } from "../colors.ts";
import { oneLine } from "../format.ts";
import { differencesOf, type Difference } from "./differences.ts";
import type { Change } from "./kind.ts";
import type { Plan } from "./plan.ts";

const signs = { create: "+", update: "~", delete: "-" } as const;

/** Returns the lines that show a plan, with a summary at the end. */
export function planLines({ changes }: Plan, colors: Colors): string[] {
  if (changes.length === 0) return ["nothing to do: the server has what the folder describes"];
  return [...changes.flatMap((change) => changeLines(change, colors)), "", colors.bold(planSummary(changes))];
}

/** Formats the numbers of changes: `1 to create, 2 to change, 3 to delete`. */
export function planSummary(changes: readonly Change[]): string {
  const count = (action: Change["action"]): number =>
    changes.filter((change) => change.action === action).length;
  return `${count("create")} to create, ${count("update")} to change, ${count("delete")} to delete`;
}

function changeLines(change: Change, colors: Colors): string[] {
  const paint = { create: colors.green, update: colors.yellow, delete: colors.red }[change.action];
  const head = paint(`${signs[change.action]} ${change.kind.noun} ${oneLine(change.id)}`);
  // What a deleted one had is shown too: it is what its users lose.
  return [head, ...differencesIn(change).flatMap((difference) => differenceLines(difference, colors))];
}

/** Returns what a change changes. All members of a new or deleted definition. */
function differencesIn(change: Change): Difference[] {
  const { compact } = change.kind;
  const before = change.action === "create" ? undefined : change.before.definition;
  const after = change.action === "delete" ? undefined : change.after;
  if (before && after) return differencesOf(before, after);
  return differencesOf(before && compact(before), after && compact(after));
}

function differenceLines(difference: Difference, { red, green }: Colors): string[] {
  const { member } = difference;
  if ("added" in difference)
    return [
      `    ${member}:`,
      ...difference.removed.map((text) => red(`      - ${oneLine(text)}`)),
      ...difference.added.map((text) => green(`      + ${oneLine(text)}`)),
    ];
  const [before, after] = [difference.before, difference.after].map(shown);
  if (before === undefined) return [`    ${member}: ${green(after ?? "")}`];
  return [`    ${member}: ${red(before)}${after === undefined ? "" : ` → ${green(after)}`}`];
}

const shown = (value: unknown): string | undefined =>
  value === undefined ? undefined : oneLine(JSON.stringify(value));

/** Returns the changes for programs. */
export const changesJson = (changes: readonly Change[]): object[] =>
  changes.map((change) => ({
    kind: change.kind.name,
    id: change.id,
    action: change.action,
    differences: differencesIn(change),
  }));

/** Names a change that was made: `created the role x`. */
export const madeText = ({ action, kind, id }: Change): string =>
  `${{ create: "created", update: "changed", delete: "deleted" }[action]} the ${kind.noun} ${oneLine(id)}`;

/** Returns a note about ids that the folder does not own. */
export function unownedNote({ unowned }: Plan): string | undefined {
  const [first] = unowned;
  if (first === undefined) return undefined;
  const { kind, id } = first;
  const what =
    unowned.length === 1
      ? `the ${kind.noun} ${oneLine(id)} is`
      : `${counted(unowned.length, "definition")}, the first of the ${kind.noun} ${oneLine(id)}, are`;
  return `note: ${what} not covered by managed, so the server keeps what is removed from the folder`;
}
