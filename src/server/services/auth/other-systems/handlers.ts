// The methods that return credentials for other systems over HTTP. This server issues only tokens for websocktunnel.
import { otherSystemEndpoints as endpoints } from "../../../../api/auth/endpoints/other-systems.ts";
import type { BodyOf } from "../../../../api/endpoint.ts";
import type { Clock } from "../../../../lib/clock.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import { actorOf } from "../../../core/audit.ts";
import { websocktunnelToken } from "./websocktunnel-token.ts";

export const otherSystemHandlers = (ctx: {
  readonly clock: Clock;
  readonly websocktunnelSecret: string | undefined;
}): HandlersOf<typeof endpoints> => ({
  awsS3Credentials({ caller, params }) {
    const { level, bucket, prefix } = params;
    caller.authorize(endpoints.awsS3Credentials, { levelIsReadOnly: isReadOnly(level), bucket, prefix });
    return refuse("Credentials for AWS S3");
  },
  azureAccounts: () => refuse("Credentials for Azure"),
  azureTables: () => refuse("Credentials for Azure"),
  azureTableSAS({ caller, params: { account, table, level } }) {
    caller.authorize(endpoints.azureTableSAS, { levelIsReadOnly: isReadOnly(level), account, table });
    return refuse("Credentials for Azure");
  },
  azureContainers: () => refuse("Credentials for Azure"),
  azureContainerSAS({ caller, params: { account, container, level } }) {
    caller.authorize(endpoints.azureContainerSAS, {
      levelIsReadOnly: isReadOnly(level),
      account,
      container,
    });
    return refuse("Credentials for Azure");
  },
  sentryDSN: () => refuse("DSNs of Sentry"),
  websocktunnelToken({ caller, params: { wstAudience, wstClient } }) {
    const { websocktunnelSecret: secret, clock } = ctx;
    if (secret === undefined)
      throw new ApiError(
        "ResourceNotFound",
        "Tokens for websocktunnel are not configured on this deployment: set auth.websocktunnelSecret to the secret of websocktunnel, or configure workers without it.",
      );
    const of = { wstClient, wstAudience, clientId: actorOf(caller) };
    const { token, expires } = websocktunnelToken(secret, of, clock.now());
    return { wstClient, wstAudience, token, expires: new Date(expires).toISOString() };
  },
  gcpCredentials: () => refuse("Credentials for GCP"),
  githubRepoToken({ caller, params: { appName, owner }, body }) {
    caller.authorize(endpoints.githubRepoToken, { appName, owner, repoPerms: repositoryPermissions(body) });
    return refuse("Tokens for GitHub");
  },
});

export const isReadOnly = (level: string): boolean => level === "read-only";

/** Returns the permissions that a token would have for each repository. */
export const repositoryPermissions = ({
  repositories,
  permissions,
}: BodyOf<typeof endpoints.githubRepoToken>): string[] =>
  repositories.flatMap((name) =>
    Object.entries(permissions).map(([permission, level]) => `${name}:${permission}:${level}`),
  );

/** Called after the scopes were checked: those that need only the path are checked before a handler runs. */
function refuse(what: string): never {
  throw new ApiError(
    "ResourceNotFound",
    `${what} are not configured on this deployment. Use a secret or another source of credentials instead.`,
  );
}
