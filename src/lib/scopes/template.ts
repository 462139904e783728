// Scope templates: what an API method demands of its caller, as a value that references publish, the server renders
// with the parameters of a request, and the compiler checks against what a handler hands in.

/** Covers every one of its parts. With no parts it is covered by anybody. */
interface AllOf {
  readonly AllOf: readonly ScopeTemplatePart[];
}

/** Covers one of its parts. With no parts it is covered by nobody. */
interface AnyOf {
  readonly AnyOf: readonly ScopeTemplatePart[];
}

/** One scope for each element of the list parameter `in`; `each` names the element as `<for>`. */
export interface ForEach {
  readonly for: string;
  readonly in: string;
  readonly each: string;
}

/** `then` where the boolean parameter `if` is true, else `else`, or nothing where there is none. */
export interface IfThen {
  readonly if: string;
  readonly then: ScopeTemplate;
  readonly else?: ScopeTemplate;
}

/** A scope with `<param>` holes, or a combination of such scopes. */
export type ScopeTemplate = string | AllOf | AnyOf | IfThen;

/** What may stand inside of AllOf and AnyOf: also a loop, whose scopes are spliced in. */
export type ScopeTemplatePart = ScopeTemplate | ForEach;

/** A template with its holes filled: what a caller's scopes are held against. */
export type ScopeExpression =
  | string
  | { readonly AllOf: readonly ScopeExpression[] }
  | { readonly AnyOf: readonly ScopeExpression[] };

/** Demands every part. */
export const allOf = <const T extends readonly ScopeTemplatePart[]>(...parts: T): { readonly AllOf: T } => ({
  AllOf: parts,
});

/** Demands one of the parts. */
export const anyOf = <const T extends readonly ScopeTemplatePart[]>(...parts: T): { readonly AnyOf: T } => ({
  AnyOf: parts,
});

/** A scope for each element of the parameter `list`: `forEach("route", "routes", "queue:route:<route>")`. */
export const forEach = <const N extends string, const L extends string, const E extends string>(
  name: N,
  list: L,
  each: E,
): { readonly for: N; readonly in: L; readonly each: E } => ({ for: name, in: list, each });

/** `then` where the parameter `flag` is true, else `otherwise`; without `otherwise` a false flag demands nothing. */
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
  // oxlint-disable-next-line unicorn/no-thenable -- the published form has this member, and nobody awaits a template
  return { if: flag, then, ...(otherwise !== undefined && { else: otherwise }) };
}

/** What fills the holes of the template `T`: text, lists and flags under the names that it uses. */
export type ScopeParams<T> = { readonly [K in TextHoles<T>]: string | number } & {
  readonly [K in ListHoles<T>]: readonly (string | number)[];
} & { readonly [K in FlagHoles<T>]: boolean };

type HolesOf<S extends string> = S extends `${string}<${infer P}>${infer Rest}` ? P | HolesOf<Rest> : never;

type TextHoles<T> = T extends string
  ? HolesOf<T>
  : T extends { readonly AllOf: readonly (infer P)[] }
    ? TextHoles<P>
    : T extends { readonly AnyOf: readonly (infer P)[] }
      ? TextHoles<P>
      : T extends { readonly for: infer N; readonly each: infer E }
        ? Exclude<TextHoles<E>, N>
        : T extends { readonly if: string; readonly then: infer A }
          ? TextHoles<A> | (T extends { readonly else: infer B } ? TextHoles<B> : never)
          : never;

type ListHoles<T> = T extends { readonly AllOf: readonly (infer P)[] }
  ? ListHoles<P>
  : T extends { readonly AnyOf: readonly (infer P)[] }
    ? ListHoles<P>
    : T extends { readonly in: infer L extends string }
      ? L
      : T extends { readonly if: string; readonly then: infer A }
        ? ListHoles<A> | (T extends { readonly else: infer B } ? ListHoles<B> : never)
        : never;

type FlagHoles<T> = T extends { readonly AllOf: readonly (infer P)[] }
  ? FlagHoles<P>
  : T extends { readonly AnyOf: readonly (infer P)[] }
    ? FlagHoles<P>
    : T extends { readonly if: infer F extends string; readonly then: infer A }
      ? F | FlagHoles<A> | (T extends { readonly else: infer B } ? FlagHoles<B> : never)
      : never;
