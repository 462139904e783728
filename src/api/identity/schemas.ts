// Schemas of the identity service.
import Type from "typebox";
import { DateTime, exactly, named } from "../schema.ts";

/** The characters of URIs, except for the star, which would look like a wildcard in scopes and policies. */
export const AUDIENCE = /^[A-Za-z0-9._~:/?#[\]@!$&'()+,;=%-]{1,256}$/;

export const oidcTokenFile = named(
  "v1/oidc-token-response.json",
  exactly({
    token: Type.String({ description: "A JSON Web Token, signed with RS256." }),
    expires: DateTime,
  }),
);

export const rotateOidcKeysRequestFile = named(
  "v1/rotate-oidc-keys-request.json",
  exactly({
    revoke: Type.Optional(
      Type.Boolean({
        default: false,
        description: "Whether all other keys are removed immediately, because one may be known to others.",
      }),
    ),
  }),
);

export const oidcKeysFile = named(
  "v1/oidc-keys-response.json",
  exactly({
    keys: Type.Array(
      exactly({
        kid: Type.String({ description: "The id of the key, as in the header of its tokens." }),
        created: DateTime,
        signsFrom: Type.String({
          format: "date-time",
          description: "When the key begins to sign, until the next one does.",
        }),
      }),
      { description: "The published keys, the oldest first." },
    ),
  }),
);
