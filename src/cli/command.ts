// A command as one literal: parsing, checks, help and suggestions all derive from it.
import type { Io } from "./io.ts";

interface Described {
  readonly short?: string;
  readonly summary: string;
}
/** An option without a value. */
export interface Flag extends Described {
  readonly type: "flag";
}
/** An option with a value, whose name in the help is `value`. */
export interface Valued extends Described {
  readonly type: "value";
  readonly value: string;
  /** May be given several times. */
  readonly multiple?: true;
}
export type Options = Readonly<Record<string, Flag | Valued>>;

type OptionValue<O> = O extends Flag
  ? boolean
  : O extends { readonly multiple: true }
    ? readonly string[]
    : string | undefined;

/** What the user typed, checked against the command. */
export interface CheckedLine {
  readonly options: Readonly<Record<string, boolean | string | readonly string[] | undefined>>;
  readonly args: readonly string[];
}

/** What a command is run with: the same, with the types that its options declare. */
export interface Call<O extends Options> {
  readonly options: { readonly [K in keyof O]: OptionValue<O[K]> };
  readonly args: readonly string[];
  readonly io: Io;
}

export interface Argument {
  readonly name: string;
  readonly optional?: true;
  /** Takes all that follows, as it is: options behind it belong to somebody else. */
  readonly rest?: true;
}

export interface Example {
  readonly command: string;
  readonly says: string;
}

export interface Command {
  /** One word, or two where the first is a group: `task create`. */
  readonly name: string;
  readonly summary: string;
  /** Paragraphs of the command's own help. */
  readonly details?: readonly string[];
  readonly args: readonly Argument[];
  readonly options: Options;
  readonly examples: readonly Example[];
  /** Resolves to the exit status. */
  run(call: CheckedLine & { readonly io: Io }): Promise<number>;
}

/** Declares a command; `run` gets its options with their types. */
export function command<const O extends Options>(
  declaration: Omit<Command, "options" | "run"> & {
    readonly options: O;
    run(call: Call<O>): Promise<number>;
  },
): Command {
  // The parser makes `options` from the declaration that stands beside it.
  return { ...declaration, run: (call) => declaration.run(call as typeof call & Call<O>) };
}

/** Options that several commands have. */
export const jsonOption = { type: "flag", summary: "Print JSON for programs." } as const;
export const runOption = {
  type: "value",
  value: "N",
  summary: "The run to look at. Default: the latest.",
} as const;
