// Compiled validators of TypeBox schemas, one per schema: compiling costs a thousand times as much as a check.
import type { TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";

const validators = new WeakMap<TSchema, Validator>();

/** Returns the validator of a schema, which is compiled once. */
export function compiledSchema<T extends TSchema>(schema: T): Validator<{}, T> {
  let validator = validators.get(schema);
  if (validator === undefined) validators.set(schema, (validator = Compile(schema)));
  return validator as Validator<{}, T>;
}
