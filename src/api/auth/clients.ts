// Schemas of clients.
import Type, { type Static } from "typebox";
import { DateTime, exactly, named } from "../schema.ts";
import { ClientId, MAX_SCOPES, scopes } from "./scopes.ts";

const Description = Type.String({ maxLength: 10240, description: "What the client is for, in Markdown." });
const Expires = Type.String({
  format: "date-time",
  description: "The client cannot sign requests after this time.",
});

export const createClientRequestFile = named(
  "v1/create-client-request.json",
  exactly({
    expires: Expires,
    deleteOnExpiration: Type.Optional(
      Type.Boolean({ default: false, description: "Whether the client is deleted after it has expired." }),
    ),
    description: Description,
    scopes: Type.Optional(
      scopes({
        maxItems: MAX_SCOPES,
        description: "The scopes assigned to the client. Without them an update leaves those that it has.",
      }),
    ),
  }),
);
export type ClientRequest = Static<typeof createClientRequestFile.schema>;

const client = {
  clientId: ClientId,
  expires: Expires,
  description: Description,
  scopes: scopes({ default: [], description: "The scopes assigned to the client." }),
  expandedScopes: scopes({ description: "The scopes of the client, with those that roles grant." }),
  disabled: Type.Boolean(),
  deleteOnExpiration: Type.Boolean(),
  created: DateTime,
  lastModified: DateTime,
  lastDateUsed: Type.String({ format: "date-time", description: "Accurate to three seconds." }),
  lastRotated: Type.String({ format: "date-time", description: "When the access token was created." }),
};

export const clientFile = named("v1/get-client-response.json", exactly(client));
export type ClientReply = Static<typeof clientFile.schema>;

export const clientListFile = named(
  "v1/list-clients-response.json",
  exactly({
    clients: Type.Array(clientFile.schema, { uniqueItems: true }),
    continuationToken: Type.Optional(Type.String()),
  }),
);

export const createClientReplyFile = named(
  "v1/create-client-response.json",
  exactly({
    ...client,
    accessToken: Type.String({
      pattern: "^[a-zA-Z0-9_-]{22,66}$",
      description: "The key with which the client signs. No other method returns it.",
    }),
  }),
);
export type CreatedClient = Static<typeof createClientReplyFile.schema>;
