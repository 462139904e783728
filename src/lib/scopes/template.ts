// Scope templates: the scopes that an API method requires. References publish them, the server fills them in with the
// parameters of a request, and the compiler checks the parameters that a handler passes.

/** Requires every part. Without parts every caller satisfies it. */
interface AllOf {
  readonly AllOf: readonly ScopeTemplatePart[];
}

/** Requires one of the parts. Without parts no caller satisfies it. */
interface AnyOf {
  readonly AnyOf: readonly ScopeTemplatePart[];
}

/** One scope for each element of the list parameter `in`. `<for>` in `each` is the element. */
export interface ForEach {
  readonly for: string;
  readonly in: string;
  readonly each: string;
}

/** `then` if the boolean parameter `if` is true, otherwise `else`, or nothing if that is absent. */
export interface IfThen {
  readonly if: string;
  readonly then: ScopeTemplate;
  readonly else?: ScopeTemplate;
}

/** A scope with `<param>` placeholders, or a combination of such scopes. */
export type ScopeTemplate = string | AllOf | AnyOf | IfThen;

/** A part of AllOf or AnyOf: a template, or a loop whose scopes are spliced in. */
export type ScopeTemplatePart = ScopeTemplate | ForEach;

/** A filled-in template, which the scopes of a caller must satisfy. */
export type ScopeExpression =
  | string
  | { readonly AllOf: readonly ScopeExpression[] }
  | { readonly AnyOf: readonly ScopeExpression[] };

/** Requires every part. */
export const allOf = <const T extends readonly ScopeTemplatePart[]>(...parts: T): { readonly AllOf: T } => ({
  AllOf: parts,
});

/** Requires one of the parts. */
export const anyOf = <const T extends readonly ScopeTemplatePart[]>(...parts: T): { readonly AnyOf: T } => ({
  AnyOf: parts,
});

/** Requires a scope for each element of the parameter `list`: `forEach("route", "routes", "queue:route:<route>")`. */
export const forEach = <const N extends string, const L extends string, const E extends string>(
  name: N,
  list: L,
  each: E,
): { readonly for: N; readonly in: L; readonly each: E } => ({ for: name, in: list, each });

/** Requires `then` if the parameter `flag` is true, else `otherwise`. Without `otherwise`, false requires nothing. */
export function ifThen<const F extends string, const T extends ScopeTemplate>(
  flag: F,
  then: T,
): { readonly if: F; readonly then: T };
export function ifThen<const F extends string, const T extends ScopeTemplate, const O extends ScopeTemplate>(
  flag: F,
  then: T,
  otherwise: O,
): { readonly if: F; readonly then: T; readonly else: O };
export function ifThen(flag: string, then: ScopeTemplate, otherwise?: ScopeTemplate): IfThen {
  // oxlint-disable-next-line unicorn/no-thenable -- the published form has this member, and templates are never awaited
  return { if: flag, then, ...(otherwise !== undefined && { else: otherwise }) };
}

/** The parameters of the template `T`: text, lists and flags by name. */
export type ScopeParams<T> = { readonly [K in TextParams<T>]: string | number } & {
  readonly [K in ListParams<T>]: readonly (string | number)[];
} & { readonly [K in FlagParams<T>]: boolean };

type PlaceholdersOf<S extends string> = S extends `${string}<${infer P}>${infer Rest}`
  ? P | PlaceholdersOf<Rest>
  : never;

type TextParams<T> = T extends string
  ? PlaceholdersOf<T>
  : T extends { readonly AllOf: readonly (infer P)[] }
    ? TextParams<P>
    : T extends { readonly AnyOf: readonly (infer P)[] }
      ? TextParams<P>
      : T extends { readonly for: infer N; readonly each: infer E }
        ? Exclude<TextParams<E>, N>
        : T extends { readonly if: string; readonly then: infer A }
          ? TextParams<A> | (T extends { readonly else: infer B } ? TextParams<B> : never)
          : never;

type ListParams<T> = T extends { readonly AllOf: readonly (infer P)[] }
  ? ListParams<P>
  : T extends { readonly AnyOf: readonly (infer P)[] }
    ? ListParams<P>
    : T extends { readonly in: infer L extends string }
      ? L
      : T extends { readonly if: string; readonly then: infer A }
        ? ListParams<A> | (T extends { readonly else: infer B } ? ListParams<B> : never)
        : never;

type FlagParams<T> = T extends { readonly AllOf: readonly (infer P)[] }
  ? FlagParams<P>
  : T extends { readonly AnyOf: readonly (infer P)[] }
    ? FlagParams<P>
    : T extends { readonly if: infer F extends string; readonly then: infer A }
      ? F | FlagParams<A> | (T extends { readonly else: infer B } ? FlagParams<B> : never)
      : never;
