// Compiles the JSON Schemas by which files are validated.
import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";

// Configured as on the server, but with all errors: the author of a file wants to fix them in one go.
const ajv = new Ajv({ allErrors: true, strictTypes: false });
addFormats.default(ajv);

/** Returns the validator of a schema. Cached by the identity of the schema. */
export const compileSchema = <T>(schema: object): ValidateFunction<T> => ajv.compile<T>(schema);
