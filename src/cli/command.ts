// Declares a command as one literal. Parsing, validation, help and suggestions derive from it.
import type { Io } from "./io.ts";

interface Described {
  readonly short?: string;
  readonly summary: string;
}
/** An option without a value. */
export interface Flag extends Described {
  readonly type: "flag";
}
/** An option with a value. The help shows `value` as the name of the value. */
export interface Valued extends Described {
  readonly type: "value";
  readonly value: string;
  /** May be given more than once. */
  readonly multiple?: true;
}
export type Options = Readonly<Record<string, Flag | Valued>>;

type OptionValue<O> = O extends Flag
  ? boolean
  : O extends { readonly multiple: true }
    ? readonly string[]
    : string | undefined;

/** A parsed command line that satisfies the command's declaration. */
export interface ParsedLine {
  readonly options: Readonly<Record<string, boolean | string | readonly string[] | undefined>>;
  readonly args: readonly string[];
}

/** The input of a command: the parsed command line, with the option types that the command declares. */
export interface Call<O extends Options> {
  readonly options: { readonly [K in keyof O]: OptionValue<O[K]> };
  readonly args: readonly string[];
  readonly io: Io;
}

export interface Argument {
  readonly name: string;
  readonly optional?: true;
  /** May be repeated. */
  readonly many?: true;
  /** Takes all remaining words unchanged: options among them belong to another program. */
  readonly rest?: true;
}

export interface Example {
  readonly command: string;
  readonly description: string;
}

export interface Command {
  /** One word, or a group and a word: `task create`. A group may be in another: `auth client list`. */
  readonly name: string;
  readonly summary: string;
  /** Paragraphs of the command's help. */
  readonly details?: readonly string[];
  readonly args: readonly Argument[];
  readonly options: Options;
  readonly examples: readonly Example[];
  /** Resolves to the exit status. */
  run(call: ParsedLine & { readonly io: Io }): Promise<number>;
}

/** Declares a command whose `run` receives typed options. */
export function command<const O extends Options>(
  declaration: Omit<Command, "options" | "run"> & {
    readonly options: O;
    run(call: Call<O>): Promise<number>;
  },
): Command {
  // Safe: the parser builds `options` from the same declaration.
  return { ...declaration, run: (call) => declaration.run(call as typeof call & Call<O>) };
}

/** Options that several commands have. */
export const jsonOption = {
  type: "flag",
  summary: "Print JSON: one object, with the member names of the API.",
} as const;
export const runOption = { type: "value", value: "N", summary: "The run. Default: the latest." } as const;
