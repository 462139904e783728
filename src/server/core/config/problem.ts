// What is wrong with a configuration, told so that it can be put right at once.
import type { Setting } from "../../../lib/setting.ts";

export interface ConfigProblem {
  /** The key of the setting, or the name of what is not one. */
  readonly key: string;
  /** Where it came from: a variable, a flag, or a file with its line. */
  readonly origin: string;
  /** The value as text, unless it is secret or there is none to show. */
  readonly value?: string;
  /** What is wrong and what would be right, as the rest of a sentence. */
  readonly problem: string;
}

/** Every problem of a configuration at once; the message is meant for the person who starts the server. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? "One setting is wrong" : `${problems.length} settings are wrong`;
    super(`${count}:\n\n${problems.map(tell).join("\n\n")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

function tell({ key, origin, value, problem }: ConfigProblem): string {
  return `  ${key}${value === undefined ? "" : ` = ${value}`}  (${origin})\n    ${problem}`;
}

/** A value as errors show it: secrets as their length only, long ones cut. */
export function shown({ setting }: { readonly setting: Setting }, value: unknown): string {
  if (setting.secret === true) {
    return typeof value === "string" ? `(hidden, ${value.length} characters)` : "(hidden)";
  }
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}
