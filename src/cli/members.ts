// Objects of YAML and JSON files.
import { textOf, WrittenScalar } from "./written-scalar.ts";

/** Members of an object in the file, not validated yet. */
export type Members = Readonly<Record<string, unknown>>;

export const isMembers = (value: unknown): value is Members =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Date || value instanceof WrittenScalar);

/** Returns the texts of a list. Returns undefined for anything else. */
export function textsOf(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts = value.flatMap((element) => textOf(element) ?? []);
  return texts.length === value.length ? texts : undefined;
}
