// Schemas of the secrets service.
import Type from "typebox";
import { DateTime, exactly, named } from "../schema.ts";

export const secretFile = named(
  "v1/secret.json",
  exactly({
    secret: Type.Unsafe<object>({ type: "object", description: "Any JSON object." }),
    expires: DateTime,
  }),
);

export const secretListFile = named(
  "v1/secret-list.json",
  exactly({
    secrets: Type.Array(Type.String(), { uniqueItems: true, description: "Names, in byte order." }),
    continuationToken: Type.Optional(Type.String()),
  }),
);
