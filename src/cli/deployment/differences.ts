// What differs between two definitions, member by member.

/** Elements that a list of strings, whose order has no meaning, loses and gains; or a value that changes. */
export type Difference = { readonly member: string } & (
  | { readonly removed: readonly string[]; readonly added: readonly string[] }
  // Absent: the definition does not have the member.
  | { readonly before?: unknown; readonly after?: unknown }
);

/** Returns the differences in the order of the members of `after`, then of `before`. */
export function differencesOf(before: unknown, after: unknown, member = ""): Difference[] {
  if (isTexts(before ?? []) && isTexts(after ?? []) && (before !== undefined || after !== undefined)) {
    const [had, has] = [new Set(textsOf(before)), new Set(textsOf(after))];
    const removed = [...had].filter((text) => !has.has(text));
    const added = [...has].filter((text) => !had.has(text));
    // Lists in the same order are equal; another order matters in lists other than scopes.
    if (removed.length + added.length > 0) return [{ member, removed, added }];
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ member, before, after }];
  }
  if (isObject(before ?? {}) && isObject(after ?? {}) && (before !== undefined || after !== undefined)) {
    const [was, is] = [membersOf(before), membersOf(after)];
    const names = new Set([...Object.keys(is), ...Object.keys(was)]);
    const inside = [...names].flatMap((name) =>
      differencesOf(was[name], is[name], member === "" ? name : `${member}.${name}`),
    );
    if (names.size > 0) return inside;
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ member, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
}

type Members = Readonly<Record<string, unknown>>;

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((element) => typeof element === "string");
const textsOf = (value: unknown): readonly string[] => (isTexts(value) ? value : []);
/** Elements of lists are members by their index. */
const isObject = (value: unknown): value is Members => typeof value === "object" && value !== null;
const membersOf = (value: unknown): Members => (isObject(value) ? value : {});
