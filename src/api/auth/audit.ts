// Schemas of the history of changes.
import Type, { type Static } from "typebox";
import { exactly, named } from "../schema.ts";

export const auditHistoryFile = named(
  "v1/get-entity-history-response.json",
  exactly({
    auditHistory: Type.Array(
      exactly({
        clientId: Type.String({ description: "Who made the change." }),
        actionType: Type.String({ description: "What happened, such as `created` or `deleted`." }),
        created: Type.String({ format: "date-time", description: "When it happened." }),
        entityId: Type.String({ description: "What was changed." }),
        entityType: Type.String({
          description: "Its type: `client`, `role`, `secret`, `worker-pool`, `hook` or `oidc-key`.",
        }),
      }),
    ),
    continuationToken: Type.Optional(Type.String()),
  }),
);
export type AuditHistory = Static<typeof auditHistoryFile.schema>;
