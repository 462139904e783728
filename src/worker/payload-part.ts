// The part of a task's payload that one engine or plugin declares, and the door through which it sees no other.
import type { Static, TObject } from "typebox";
import { Compile } from "typebox/compile";

export interface PayloadPart {
  readonly name: string;
  /** The declarer's own keys. `features` is the one key that all share: each declares its own flags in it. */
  readonly payloadSchema: TObject;
}

/**
 * A function that takes the declarer's keys out of a validated payload, with their types. Checked again, which
 * costs microseconds a task and spares a cast: a payload that was never validated cannot slip through.
 */
export function checkedPart<S extends TObject>(schema: S): (payload: unknown) => Static<S> {
  const compiled = Compile(schema);
  return (payload) => {
    const part = pickOwn(schema, payload);
    if (compiled.Check(part)) return part;
    throw new Error("a part of the payload was used before it was validated");
  };
}

/** The keys of `payload` that `schema` declares, and within `features` the flags that it declares. */
export function pickOwn(schema: TObject, payload: unknown): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  if (!isRecord(payload)) return picked;
  for (const [key, property] of Object.entries(schema.properties)) {
    if (!Object.hasOwn(payload, key)) continue;
    const value = payload[key];
    picked[key] =
      key === "features" && isObjectSchema(property) && isRecord(value) ? pickOwn(property, value) : value;
  }
  return picked;
}

/** True for a plain JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for the schema of an object with declared properties. */
export function isObjectSchema(schema: object): schema is TObject {
  return "type" in schema && schema.type === "object" && "properties" in schema;
}
