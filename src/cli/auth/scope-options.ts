// The options with which commands get scopes.
import { CliError, UsageError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { readText } from "../read-text.ts";

export const scopeOptions = {
  scope: { type: "value", value: "SCOPE", multiple: true, summary: "A scope. May be repeated." },
  scopes: {
    type: "value",
    value: "FILE",
    summary: "A file with a scope on each line, or - for standard input.",
  },
} as const;

/** Options that change a list of scopes. With `--scope` or `--scopes`, they replace it. */
export const changedScopeOptions = {
  ...scopeOptions,
  "add-scope": { type: "value", value: "SCOPE", multiple: true, summary: "A scope to add. May be repeated." },
  "remove-scope": {
    type: "value",
    value: "SCOPE",
    multiple: true,
    summary: "A scope to remove. May be repeated.",
  },
} as const;

interface Given {
  readonly scope: readonly string[];
  readonly scopes: string | undefined;
}
interface GivenChange extends Given {
  readonly "add-scope": readonly string[];
  readonly "remove-scope": readonly string[];
}

/** Returns the scopes of the options without duplicates, or undefined if neither is given. */
export async function scopesOf({ scope, scopes: file }: Given, io: Io): Promise<string[] | undefined> {
  if (scope.length === 0 && file === undefined) return undefined;
  const lines = file === undefined ? [] : (await readText(file, io)).split(/\r?\n/);
  return [...new Set([...scope, ...lines.map((line) => line.trim()).filter((line) => line !== "")])];
}

/** Reports whether the options change scopes. Throws a `UsageError` if they do so in contradictory ways. */
export function changesScopes(options: GivenChange): boolean {
  const replaces = options.scope.length > 0 || options.scopes !== undefined;
  const edits = options["add-scope"].length + options["remove-scope"].length > 0;
  if (replaces && edits)
    throw new UsageError(
      "--scope and --scopes replace all scopes: use them without --add-scope and --remove-scope",
    );
  return replaces || edits;
}

/** Returns the scopes that result from the options. `current` are those now. */
export async function changedScopes(
  options: GivenChange,
  current: readonly string[],
  io: Io,
): Promise<string[]> {
  const { "add-scope": added, "remove-scope": removed } = options;
  const replaced = await scopesOf(options, io);
  if (replaced) return replaced;
  const absent = removed.find((scope) => !current.includes(scope));
  if (absent !== undefined)
    throw new CliError(`--remove-scope ${absent}: this is none of its scopes; check the spelling`);
  return [...new Set([...current.filter((scope) => !removed.includes(scope)), ...added])];
}
