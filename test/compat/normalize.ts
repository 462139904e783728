// Normalizes JSON Schemas, so that equivalent schemas are equal.

/** A JSON value, as `JSON.parse` returns it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

export interface NormalizeOptions {
  /** Schemas by file name, such as `v1/task.json`. */
  readonly schemas: Readonly<Record<string, Json>>;
  /** Whether defaults matter. They are filled into requests; elsewhere they have no effect. */
  readonly defaults: boolean;
}

/** Members that do not affect validation. */
const WITHOUT_EFFECT = new Set(["$id", "$schema", "title", "description", "examples", "definitions"]);

/**
 * Returns the normalized schema of a file, with its references resolved. `required` becomes an object by member, the
 * variants of a `oneOf` an object by the constant that distinguishes them, and members without effect are omitted.
 */
export function normalizeFile(file: string, options: NormalizeOptions): Json {
  return normalize({ $ref: `${file}#` }, "", options);
}

function normalize(value: Json, file: string, options: NormalizeOptions): Json {
  if (!isObject(value)) return value;
  const { $ref, ...rest } = value;
  if (typeof $ref === "string") {
    const target = resolve($ref, file, options.schemas);
    if (!isObject(target.schema)) throw new Error(`${file}: ${$ref} does not refer to a schema`);
    // Draft 06 ignores siblings of a reference, but authors of schemas expect them to apply. Both sides of a comparison
    // are treated alike.
    return normalize({ ...target.schema, ...rest }, target.file, options);
  }
  const inner = (schema: Json): Json => normalize(schema, file, options);
  const out: Record<string, Json> = {};
  for (const [key, member] of Object.entries(canonicalize(rest))) {
    if (WITHOUT_EFFECT.has(key) || (key === "default" && !options.defaults)) continue;
    if (key === "properties" && isObject(member)) out[key] = mapValues(member, inner);
    else if (key === "required" && Array.isArray(member))
      out[key] = Object.fromEntries(member.map((name) => [String(name), true]));
    else if ((key === "oneOf" || key === "anyOf") && Array.isArray(member))
      out[key] = byConstants(member.map(inner));
    else if (key === "enum" && Array.isArray(member))
      out[key] = member.map((value) => JSON.stringify(value)).toSorted();
    else if (key === "items" || key === "additionalProperties") out[key] = inner(member);
    else out[key] = member;
  }
  return out;
}

/** Rewrites equivalent notations of one schema to the one that we use. */
function canonicalize(schema: JsonObject): JsonObject {
  const { patternProperties, ...rest } = schema;
  const out: Record<string, Json> = { ...rest };
  if (isObject(patternProperties)) {
    const [[pattern, member] = []] = Object.entries(patternProperties);
    if ((pattern === "^.*$" || pattern === ".*") && member !== undefined)
      out["additionalProperties"] = member;
    else out["patternProperties"] = patternProperties;
  }
  if (Array.isArray(out["enum"]) && out["enum"].length === 1) {
    out["const"] = out["enum"][0] ?? null;
    delete out["enum"];
  }
  // A constant implies its type.
  if ("const" in out) delete out["type"];
  if (out["uniqueItems"] === false) delete out["uniqueItems"];
  if (out["additionalProperties"] === true) delete out["additionalProperties"];
  if (Array.isArray(out["required"]) && out["required"].length === 0) delete out["required"];
  return out;
}

/** Returns variants by the constants that distinguish them, or else by index, so that their order does not matter. */
function byConstants(variants: readonly Json[]): Json {
  return Object.fromEntries(
    variants.map((variant, i) => {
      const members = isObject(variant) && isObject(variant["properties"]) ? variant["properties"] : {};
      const constants = Object.keys(members)
        .toSorted()
        .flatMap((name) =>
          isObject(members[name]) && "const" in members[name] ? [members[name]["const"]] : [],
        );
      return [constants.map((constant) => JSON.stringify(constant)).join(" ") || String(i), variant];
    }),
  );
}

/** Resolves a reference, such as `task.json#/properties/tags` in `v1/task-status.json`, or an absolute path. */
function resolve(
  ref: string,
  from: string,
  schemas: Readonly<Record<string, Json>>,
): { file: string; schema: Json } {
  const [path = "", pointer = ""] = ref.split("#");
  const folder = from.includes("/") ? from.slice(0, from.lastIndexOf("/") + 1) : "";
  const relative = path.replace(/^\.\//, "");
  const file =
    path === "" ? from : path.startsWith("/") ? path.replace(/^\/schemas\/[^/]+\//, "") : folder + relative;
  let schema: Json | undefined = schemas[file];
  for (const step of pointer.split("/").filter((part) => part !== ""))
    schema = isObject(schema) ? schema[step] : undefined;
  if (schema === undefined) throw new Error(`${from} refers to ${ref}, which does not exist`);
  return { file, schema };
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const mapValues = (of: JsonObject, map: (value: Json) => Json): JsonObject =>
  Object.fromEntries(Object.entries(of).map(([key, value]) => [key, map(value)]));
