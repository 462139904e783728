// A kind of what a deployment folder describes, such as clients. Adding one is a file in `kinds` and a line in `kinds.ts`.
import type { Client } from "../../client/connect.ts";
import type { Members } from "../members.ts";

/** What a file says about one id, and what the server says in the same form. */
export type Definition = Readonly<Record<string, unknown>>;

/** What the server has under an id. */
export interface Found<D = Definition> {
  readonly definition: D;
  /** The scopes that an update may assign although the caller has none of them. Default: those of the definition. */
  readonly expandedScopes?: readonly string[];
}

/** What the server has, by kind and id. */
export type ServerState = ReadonlyMap<Kind, ReadonlyMap<string, Found>>;

export type Change<D = Definition> = { readonly kind: Kind; readonly id: string } & (
  | { readonly action: "create"; readonly after: D }
  | { readonly action: "update"; readonly before: Found<D>; readonly after: D }
  | { readonly action: "delete"; readonly before: Found<D> }
);

/** A problem of a definition that its schema does not express. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

export interface Kind<D = Definition> {
  /** The member of the files, such as `clients`. */
  readonly name: string;
  /** What one is called in messages, such as `client`. */
  readonly noun: string;
  readonly id: RegExp;
  /** What an id must be, for messages. */
  readonly idRule: string;
  /** The JSON Schema of a definition. */
  readonly schema: object & { readonly properties: Readonly<Record<string, object>> };
  /** Reports whether the API cannot change what has this id. Such are neither exported nor deleted. */
  isReserved?(id: string): boolean;
  /** Returns the problems of a definition that its schema does not express. The definition may have others. */
  check(id: string, definition: Members): readonly Problem[];
  /**
   * Returns a definition of a file with its defaults, in the form of those that `list` returns, so that equal ones have equal
   * members. `found` is what the server has.
   */
  complete(definition: D, found?: D): D;
  /** Returns a definition as it is written into a file: without defaults. */
  compact(definition: D): D;
  list(client: Client): Promise<ReadonlyMap<string, Found<D>>>;
  /** Returns the scopes that the caller needs. */
  scopesFor(change: Change<D>): readonly string[];
  /** Makes a change. Calls `onToken` as soon as it knows an access token, which no other call returns. */
  make(client: Client, change: Change<D>, onToken: (accessToken: string) => Promise<void>): Promise<void>;
}

/** Declares a kind with its own type of definitions. */
// Safe, although its methods take only D: definitions are validated by the schema of the kind, or come from its own `list`.
export const defineKind = <D extends Definition>(kind: Kind<D>): Kind => kind;

/** Returns the elements of `after` that `before` lacks. */
export const added = (before: readonly string[], after: readonly string[]): string[] => {
  const known = new Set(before);
  return after.filter((scope) => !known.has(scope));
};
