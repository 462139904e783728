// The part of a task's payload that one engine or plugin declares, and typed access to that part only.
import type { Static, TObject } from "typebox";
import { Compile } from "typebox/compile";
import type { TaskDefinition } from "../api/queue/task.ts";
import { InternalError } from "../lib/internal-error.ts";

export interface PayloadPart {
  readonly name: string;
  /** Its own keys. Only the key `features` is shared: each part declares its own flags in it. */
  readonly payloadSchema: TObject;
  /**
   * Returns what is wrong with a payload that the schema accepts, as sentences. Each begins with the member that it is about,
   * such as `payload.artifacts[0].name`. A fault that can be known before the task runs belongs here, and not in a hook.
   */
  faults(payload: unknown, task: CheckedTask): readonly string[];
}

/** The task of a payload, as far as it decides whether the payload can work. */
export interface CheckedTask {
  /** When the task expires, in ISO 8601 format. */
  readonly expires: string;
  readonly definition: Pick<TaskDefinition, "deadline" | "dependencies">;
  /** Artifact names that the payload must not use. */
  readonly reservedArtifacts: ReadonlySet<string>;
}

/**
 * Returns a function that picks the keys of one part from a validated payload, with their types. It checks them again,
 * which costs microseconds per task, needs no cast, and rejects payloads that were never validated.
 */
export function checkedPart<S extends TObject>(schema: S): (payload: unknown) => Static<S> {
  const compiled = Compile(schema);
  return (payload) => {
    const part = pickOwn(schema, payload);
    if (compiled.Check(part)) return part;
    throw new InternalError("a part of the payload was used before it was validated");
  };
}

/** Returns the keys of `payload` that `schema` declares, and within `features` the flags that it declares. */
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

/** Reports whether a value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reports whether a schema describes an object with declared properties. */
export function isObjectSchema(schema: object): schema is TObject {
  return "type" in schema && schema.type === "object" && "properties" in schema;
}
