// Composes the schema of `task.payload` from the parts that the engine and the plugins declare, and checks payloads.
import { isDeepStrictEqual } from "node:util";
import { Ajv } from "ajv";
import type { ErrorObject } from "ajv";
import addFormats from "ajv-formats";
import { errorFinder } from "../lib/find-errors.ts";
import { memberPath } from "../lib/member-path.ts";
import { isObjectSchema, isRecord, pickOwn } from "./payload-part.ts";
import type { PayloadPart } from "./payload-part.ts";
import { addLinearUniqueItems } from "./unique-items.ts";
import { InternalError } from "../lib/internal-error.ts";

type Checked =
  | { readonly ok: true; readonly payload: Record<string, unknown> }
  | { readonly ok: false; readonly errors: readonly string[] };

export interface PayloadSchema {
  /** The JSON Schema, for documentation and for the logs of tasks with a malformed payload. */
  readonly json: { readonly properties: Readonly<Record<string, object>> };
  /** Checks a copy of the payload and fills in its defaults. */
  check(payload: unknown): Checked;
  /** For a payload that failed the check: returns a part's own keys if they are valid, else its defaults. */
  salvage(part: PayloadPart, payload: unknown): Record<string, unknown>;
}

type Properties = Record<string, object>;

/**
 * Composes the parts. Throws if two of them declare the same key differently: that is a programming error, which must
 * surface when the worker starts and not in a task.
 */
export function composePayload(parts: readonly PayloadPart[]): PayloadSchema {
  const ajvs = { firstError: createAjv({ allErrors: false }), allErrors: createAjv({ allErrors: true }) };
  const json = {
    type: "object",
    required: requiredOf(parts),
    properties: relaxAll(mergeParts(parts)),
    additionalProperties: false,
  };
  const findErrors = errorFinder(ajvs, json);
  const single = new Map(parts.map((part) => [part, relax(part.payloadSchema)]));

  return {
    json,
    check(payload) {
      const copy: unknown = structuredClone(payload);
      const errors = findErrors(copy, () => JSON.stringify(payload ?? null).length);
      if (errors.length === 0 && isRecord(copy)) return { ok: true, payload: copy };
      return { ok: false, errors: [...hints(payload), ...errors.map(sentence)] };
    },
    salvage(part, payload) {
      const schema = single.get(part);
      if (schema === undefined) throw new InternalError(`${part.name} is not a part of this payload schema`);
      // Ajv caches what it has compiled. Compiling all parts takes 50 ms, and a valid payload needs none.
      const check = ajvs.firstError.compile(schema);
      const own = structuredClone(pickOwn(part.payloadSchema, payload));
      if (check(own)) return own;
      const defaults = {};
      check(defaults);
      return defaults;
    },
  };
}

function createAjv(options: { readonly allErrors: boolean }): Ajv {
  const ajv = addLinearUniqueItems(new Ajv({ ...options, useDefaults: true }));
  addFormats.default(ajv);
  return ajv;
}

function mergeParts(parts: readonly PayloadPart[]): Properties {
  const properties: Properties = {};
  const flags: Properties = {};
  for (const part of parts) {
    for (const [key, schema] of Object.entries(part.payloadSchema.properties)) {
      if (key === "features" && isObjectSchema(schema)) {
        for (const [flag, flagSchema] of Object.entries(schema.properties)) {
          add(flags, `features.${flag}`, flag, flagSchema, part);
        }
      } else {
        add(properties, key, key, schema, part);
      }
    }
  }
  const features = { type: "object", properties: flags, additionalProperties: false, default: {} };
  return { ...properties, features };
}

function add(into: Properties, path: string, key: string, schema: object, part: PayloadPart): void {
  const known = into[key];
  if (known !== undefined && !isDeepStrictEqual({ ...known }, { ...schema })) {
    throw new InternalError(
      `"${part.name}" declares payload.${path} differently from another part of the worker`,
    );
  }
  into[key] = schema;
}

function requiredOf(parts: readonly PayloadPart[]): string[] {
  return [...new Set(parts.flatMap((part) => relax(part.payloadSchema).required ?? []))];
}

/**
 * Returns the schema for users, in which keys with a default are optional. Parts declare them as required, because they
 * are present once the defaults are filled in.
 */
function relax(schema: object): { readonly [keyword: string]: unknown; readonly required?: string[] } {
  if (!isObjectSchema(schema)) return { ...schema };
  const properties: Properties = schema.properties;
  return {
    ...schema,
    properties: relaxAll(properties),
    required: (schema.required ?? []).filter((key) => !("default" in (properties[key] ?? {}))),
  };
}

function relaxAll(properties: Properties): Properties {
  return Object.fromEntries(
    Object.entries(properties).map(([key, schema]) => [
      key,
      "items" in schema && isRecord(schema.items) ? { ...schema, items: relax(schema.items) } : relax(schema),
    ]),
  );
}

/** Explains payloads that were written for another kind of worker. */
function hints(payload: unknown): string[] {
  if (!isRecord(payload) || !Object.hasOwn(payload, "image")) return [];
  return [
    "payload.image belongs to tasks that run in a container; this worker runs commands on the machine itself. " +
      "Omit it and set payload.command to a list of commands, or use the queue of a worker with containers",
  ];
}

function sentence(error: ErrorObject): string {
  const at = `payload${memberPath(error.instancePath)}`;
  const { keyword, params } = error;
  switch (keyword) {
    case "additionalProperties":
      return `${at} has the unknown property "${String(params["additionalProperty"])}"`;
    case "required":
      return `${at}.${String(params["missingProperty"])} is missing`;
    case "enum":
      return `${at} must be one of ${JSON.stringify(params["allowedValues"])}`;
    case "uniqueItems":
      return `${at} has the same item twice (numbers ${String(params["j"])} and ${String(params["i"])})`;
    default:
      return `${at} ${error.message ?? "is not valid"}`;
  }
}
