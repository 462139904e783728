// Building blocks for the schemas of the contract. A TypeBox value *is* its JSON Schema: one literal is the published
// schema, the validator and the type.
import Type, { type Static, type TSchema, type TUnsafe } from "typebox";

/** A schema with the name of the file that publishes it, such as `v1/task.json` of a service. */
export interface Named<T extends TSchema = TSchema> {
  readonly file: string;
  readonly schema: T;
}

/** Names the file that publishes a schema: `<root>/schemas/<service>/<file>`. */
export const named = <T extends TSchema>(file: string, schema: T): Named<T> => ({ file, schema });

/** A string from a closed list. (`Type.Enum` omits `type`, which generated clients need.) */
export const oneOfStrings = <const T extends readonly string[]>(
  values: T,
  options: { default?: T[number]; description?: string; examples?: readonly T[number][] } = {},
): TUnsafe<T[number]> => Type.Unsafe<T[number]>({ type: "string", enum: [...values], ...options });

/** Exactly one of several shapes. (`Type.Union` produces `anyOf`; Taskcluster publishes `oneOf`.) */
export const oneOf = <T extends TSchema[]>(...schemas: T): TUnsafe<Static<T[number]>> =>
  Type.Unsafe<Static<T[number]>>({ oneOf: schemas });

/** An object with exactly these properties. Unknown properties are refused. */
export const exactly = <T extends Record<string, TSchema>>(
  properties: T,
  options: { description?: string; default?: unknown; examples?: readonly unknown[] } = {},
) => Type.Object(properties, { additionalProperties: false, ...options });

/** An RFC 3339 time. The server always formats it as `2026-01-31T12:00:00.000Z`. */
export const DateTime = Type.String({ format: "date-time" });
