// JSON text that keeps the type of its value. The database builds most replies as text and the server passes them on as
// they are: parsing a status to write it again takes longer than everything else that a call does with it.
import Type, { type TUnsafe } from "typebox";

declare const value: unique symbol;

/** JSON text of a `T`. */
export type Json<T> = string & { readonly [value]: T };

/** Writes a value as JSON. */
export const jsonOf = <T>(value: T): Json<T> => JSON.stringify(value) as Json<T>;

/** Reads the value back. */
export const parseJson = <T>(text: Json<T>): T => JSON.parse(text) as T;

type JsonMembers = Readonly<Record<string, Json<unknown>>>;
type ValueOf<J> = J extends Json<infer T> ? T : never;

/** Writes an object whose members are JSON already, in their order. Their names must need no escapes. */
export function jsonObject<const M extends JsonMembers>(
  members: M,
): Json<{ -readonly [K in keyof M]: ValueOf<M[K]> }> {
  let text = "";
  for (const name of Object.keys(members)) text += `${text === "" ? "{" : ","}"${name}":${members[name]}`;
  return (text === "" ? "{}" : `${text}}`) as Json<{ -readonly [K in keyof M]: ValueOf<M[K]> }>;
}

/** Writes each member of an object, to be spread into a `jsonObject`. */
export const jsonMembers = <V extends object>(values: V): { readonly [K in keyof V]: Json<V[K]> } =>
  Object.fromEntries(Object.entries(values).map(([name, member]) => [name, jsonOf(member)])) as {
    readonly [K in keyof V]: Json<V[K]>;
  };

/** Writes an array whose elements are JSON already. */
export const jsonArray = <T>(elements: readonly Json<T>[]): Json<T[]> =>
  `[${elements.join(",")}]` as Json<T[]>;

/** The row type of a text column that holds JSON of a `T`. Only the compiler knows `T`: rows are checked for text. */
export const jsonText = <T>(): TUnsafe<Json<T>> => Type.Unsafe<Json<T>>({ type: "string" });
