// Brings JSON Schemas to one form, so that two of them are equal where they mean the same.

/** A JSON value, as `JSON.parse` gives it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

export interface Meaning {
  /** Schemas by their file, as in `v1/task.json`. */
  readonly schemas: Readonly<Record<string, Json>>;
  /** Whether defaults count. They are filled into requests; elsewhere they say nothing. */
  readonly defaults: boolean;
}

/** What does not change what a schema accepts. */
const SILENT = new Set(["$id", "$schema", "title", "description", "definitions"]);

/**
 * The schema of a file with its references resolved, in a form to compare: `required` is an object by member,
 * forms of a `oneOf` are an object by the value that tells them apart, and what changes nothing is left out.
 */
export function normaliseFile(file: string, meaning: Meaning): Json {
  return normalise({ $ref: `${file}#` }, "", meaning);
}

function normalise(value: Json, file: string, meaning: Meaning): Json {
  if (!isObject(value)) return value;
  const { $ref, ...rest } = value;
  if (typeof $ref === "string") {
    const target = resolve($ref, file, meaning.schemas);
    if (!isObject(target.schema)) throw new Error(`${file}: ${$ref} leads to no schema`);
    // Draft 06 says that siblings of a reference are ignored; those who write them expect otherwise, and both
    // sides of a comparison are read alike.
    return normalise({ ...target.schema, ...rest }, target.file, meaning);
  }
  const inner = (schema: Json): Json => normalise(schema, file, meaning);
  const out: Record<string, Json> = {};
  for (const [key, member] of Object.entries(withSimplerForms(rest))) {
    if (SILENT.has(key) || (key === "default" && !meaning.defaults)) continue;
    if (key === "properties" && isObject(member)) out[key] = mapValues(member, inner);
    else if (key === "required" && Array.isArray(member))
      out[key] = Object.fromEntries(member.map((name) => [String(name), true]));
    else if ((key === "oneOf" || key === "anyOf") && Array.isArray(member))
      out[key] = byForm(member.map(inner));
    else if (key === "enum" && Array.isArray(member))
      out[key] = member.map((value) => JSON.stringify(value)).toSorted();
    else if (key === "items" || key === "additionalProperties") out[key] = inner(member);
    else out[key] = member;
  }
  return out;
}

/** Different ways to write one thing, each as the way that we chose. */
function withSimplerForms(schema: JsonObject): JsonObject {
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
  // A constant is of its own type.
  if ("const" in out) delete out["type"];
  if (out["uniqueItems"] === false) delete out["uniqueItems"];
  if (out["additionalProperties"] === true) delete out["additionalProperties"];
  if (Array.isArray(out["required"]) && out["required"].length === 0) delete out["required"];
  return out;
}

/** Forms in no order: by the constants that tell each from the others, or else by their place. */
function byForm(forms: readonly Json[]): Json {
  return Object.fromEntries(
    forms.map((form, i) => {
      const members = isObject(form) && isObject(form["properties"]) ? form["properties"] : {};
      const constants = Object.keys(members)
        .toSorted()
        .flatMap((name) =>
          isObject(members[name]) && "const" in members[name] ? [members[name]["const"]] : [],
        );
      return [constants.map((constant) => JSON.stringify(constant)).join(" ") || String(i), form];
    }),
  );
}

/** Where a reference leads: `task.json#/properties/tags` from `v1/task-status.json`, or an absolute path. */
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
  if (schema === undefined) throw new Error(`${from} refers to ${ref}, which is not there`);
  return { file, schema };
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const mapValues = (of: JsonObject, map: (value: Json) => Json): JsonObject =>
  Object.fromEntries(Object.entries(of).map(([key, value]) => [key, map(value)]));
