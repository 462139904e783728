// Problems of a configuration, with all information needed to correct them.
import type { Setting } from "../../../lib/setting.ts";

export interface ConfigProblem {
  /** The key of the setting, or an unknown key. */
  readonly key: string;
  /** The source of the value: a variable, a flag, or a file with its line. */
  readonly origin: string;
  /** The value as text, unless it is secret or there is none. */
  readonly value?: string;
  /** What is wrong and what would be right, as the rest of a sentence that starts with the key. */
  readonly problem: string;
}

/** All problems of a configuration. The message is for the user that starts the server. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? "One setting is wrong" : `${problems.length} settings are wrong`;
    super(`${count}:\n\n${problems.map(formatProblem).join("\n\n")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

function formatProblem({ key, origin, value, problem }: ConfigProblem): string {
  return `  ${key}${value === undefined ? "" : ` = ${value}`}  (${origin})\n    ${problem}`;
}

/** Formats a value for errors. Shows only the length of a secret, and truncates long values. */
export function formatValue({ setting }: { readonly setting: Setting }, value: unknown): string {
  if (setting.secret === true) {
    return typeof value === "string" ? `(hidden, ${value.length} characters)` : "(hidden)";
  }
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}
