// Small building blocks for the contract's schemas. A TypeBox value *is* its JSON Schema, so what stands here
// is published, validated and typed from one literal.
import Type, { type Static, type TSchema, type TUnsafe } from "typebox";

/** A schema that is published under a file name: `v1/task.json` of a service. */
export interface Named<T extends TSchema = TSchema> {
  readonly file: string;
  readonly schema: T;
}

/** Gives a schema the file name it is published under (`<root>/schemas/<service>/<file>`). */
export const named = <T extends TSchema>(file: string, schema: T): Named<T> => ({ file, schema });

/** A string out of a closed list. (`Type.Enum` leaves `type` out, which generated clients need.) */
export const oneOfStrings = <const T extends readonly string[]>(
  values: T,
  options: { default?: T[number]; description?: string } = {},
): TUnsafe<T[number]> => Type.Unsafe<T[number]>({ type: "string", enum: [...values], ...options });

/** Exactly one of several shapes. (`Type.Union` makes `anyOf`; the compatible system publishes `oneOf`.) */
export const oneOf = <T extends TSchema[]>(...schemas: T): TUnsafe<Static<T[number]>> =>
  Type.Unsafe<Static<T[number]>>({ oneOf: schemas });

/** An object with exactly these properties: an unknown one is an error of the sender. */
export const exactly = <T extends Record<string, TSchema>>(
  properties: T,
  options: { description?: string; default?: unknown } = {},
) => Type.Object(properties, { additionalProperties: false, ...options });

/** An RFC 3339 time; ours always look like `2026-01-31T12:00:00.000Z`. */
export const DateTime = Type.String({ format: "date-time" });
