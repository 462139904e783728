// Fills in scope templates, and lists their parameters.
import type {
  ForEach,
  IfThen,
  ScopeExpression,
  ScopeParams,
  ScopeTemplate,
  ScopeTemplatePart,
} from "./template.ts";

/** A parameter of a template: text for a `<placeholder>`, a list for a `for`, a flag for an `if`. */
export interface TemplateParam {
  readonly name: string;
  readonly kind: "text" | "list" | "flag";
}

type Params = Readonly<Record<string, unknown>>;

const placeholder = /<([a-zA-Z][a-zA-Z0-9_]*)>/g;

/**
 * Fills in a template. Returns `null` if nothing is required, which makes the request public. Throws if a parameter is
 * missing or of the wrong kind. That is a bug of the handler, not an error of the caller.
 */
export function renderScopes(template: ScopeTemplate, params: Params): ScopeExpression | null {
  return renderPart(template, params)[0] ?? null;
}

/** Fills in a single scope. */
export const fillScope = <const T extends string>(scope: T, params: ScopeParams<T>): string =>
  fill(scope, params);

/** Lists the parameters of the template without duplicates, in the order of first use. */
export function templateParams(template: ScopeTemplate): TemplateParam[] {
  const found = new Map<string, TemplateParam>();
  collect(template, undefined, (name, kind) => {
    if (!found.has(`${kind} ${name}`)) found.set(`${kind} ${name}`, { name, kind });
  });
  return [...found.values()];
}

/** Renders a part to no, one or (for loops) several expressions, which are spliced into the enclosing list. */
function renderPart(part: ScopeTemplatePart, params: Params): ScopeExpression[] {
  if (typeof part === "string") return [fill(part, params)];
  if ("AllOf" in part) return [{ AllOf: part.AllOf.flatMap((inner) => renderPart(inner, params)) }];
  if ("AnyOf" in part) return [{ AnyOf: part.AnyOf.flatMap((inner) => renderPart(inner, params)) }];
  if ("for" in part) return renderLoop(part, params);
  return renderChoice(part, params);
}

function renderLoop(loop: ForEach, params: Params): string[] {
  const list = params[loop.in];
  if (!Array.isArray(list))
    throw new Error(`scope parameter '${loop.in}' must be a list, not ${kindOf(list)}`);
  const inner = { ...params };
  return list.map((element: unknown) => {
    inner[loop.for] = element;
    return fill(loop.each, inner);
  });
}

function renderChoice(choice: IfThen, params: Params): ScopeExpression[] {
  const flag = params[choice.if];
  if (typeof flag !== "boolean") {
    throw new Error(`scope parameter '${choice.if}' must be a boolean, not ${kindOf(flag)}`);
  }
  if (flag) return renderPart(choice.then, params);
  return choice.else === undefined ? [] : renderPart(choice.else, params);
}

/** A template text split at its placeholders. There is one more text than there are names. */
interface SplitText {
  readonly texts: readonly string[];
  readonly names: readonly string[];
}

// Cached by text: the nine scopes of createTask take 5 µs with it and 17 µs without. The number of entries is bounded,
// because templates are literals of the contract.
const cache = new Map<string, SplitText>();

function splitText(text: string): SplitText {
  const cached = cache.get(text);
  if (cached) return cached;
  // Splitting at a pattern with a group keeps the matches of the group: texts and names alternate.
  const parts = text.split(placeholder);
  const split = { texts: parts.filter((_, i) => i % 2 === 0), names: parts.filter((_, i) => i % 2 === 1) };
  cache.set(text, split);
  return split;
}

function fill(text: string, params: Params): string {
  const { texts, names } = splitText(text);
  let filled = texts[0] ?? "";
  for (const [i, name] of names.entries()) {
    const value = params[name];
    if (typeof value !== "string" && typeof value !== "number") {
      throw new Error(`scope parameter '${name}' must be a string or a number, not ${kindOf(value)}`);
    }
    filled += `${value}${texts[i + 1] ?? ""}`;
  }
  return filled;
}

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;

function collect(
  part: ScopeTemplatePart,
  bound: string | undefined,
  found: (name: string, kind: TemplateParam["kind"]) => void,
): void {
  if (typeof part === "string") {
    for (const [, name] of part.matchAll(placeholder)) {
      if (name !== undefined && name !== bound) found(name, "text");
    }
  } else if ("AllOf" in part) {
    for (const inner of part.AllOf) collect(inner, bound, found);
  } else if ("AnyOf" in part) {
    for (const inner of part.AnyOf) collect(inner, bound, found);
  } else if ("for" in part) {
    found(part.in, "list");
    collect(part.each, part.for, found);
  } else {
    found(part.if, "flag");
    collect(part.then, bound, found);
    if (part.else !== undefined) collect(part.else, bound, found);
  }
}
