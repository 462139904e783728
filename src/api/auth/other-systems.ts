// Schemas of the methods that return credentials for other systems.
import Type from "typebox";
import { DateTime, exactly, named, oneOfStrings } from "../schema.ts";

const more = { continuationToken: Type.Optional(Type.String()) };
const names = Type.Array(Type.String(), { uniqueItems: true });

export const awsS3CredentialsFile = named(
  "v1/aws-s3-credentials-response.json",
  exactly({
    credentials: exactly({
      accessKeyId: Type.String(),
      secretAccessKey: Type.String(),
      sessionToken: Type.String(),
    }),
    expires: DateTime,
  }),
);

export const azureAccountsFile = named("v1/azure-account-list-response.json", exactly({ accounts: names }));
export const azureTablesFile = named(
  "v1/azure-table-list-response.json",
  exactly({ tables: names, ...more }),
);
export const azureContainersFile = named(
  "v1/azure-container-list-response.json",
  exactly({ containers: names, ...more }),
);
const sas = exactly({ sas: Type.String(), expiry: DateTime });
export const azureTableSasFile = named("v1/azure-table-access-response.json", sas);
export const azureContainerSasFile = named("v1/azure-container-response.json", sas);

const Uri = Type.String({ format: "uri" });
export const sentryDsnFile = named(
  "v1/sentry-dsn-response.json",
  exactly({
    project: Type.String(),
    dsn: exactly(
      { secret: Uri, public: Uri },
      {
        examples: [
          { secret: "https://key:secret@sentry.example.com/1", public: "https://key@sentry.example.com/1" },
        ],
      },
    ),
    expires: DateTime,
  }),
);

export const WST_CLIENT_PATTERN = "^[a-zA-Z0-9_~.%-]+$";
export const WST_AUDIENCE_PATTERN = "^[a-zA-Z0-9_-]{1,38}$";

export const websocktunnelTokenFile = named(
  "v1/websocktunnel-token-response.json",
  exactly({
    wstClient: Type.String({ pattern: WST_CLIENT_PATTERN }),
    wstAudience: Type.String({ pattern: WST_AUDIENCE_PATTERN }),
    token: Type.String({ description: "A JSON Web Token." }),
    expires: DateTime,
  }),
);

export const gcpCredentialsFile = named(
  "v1/gcp-credentials-response.json",
  exactly({ accessToken: Type.String(), expireTime: DateTime }),
);

const READ_WRITE =
  "actions administration artifact_metadata attestations checks code_quality codespaces contents dependabot_secrets " +
  "deployments discussions environments issues merge_queues metadata packages pages pull_requests " +
  "repository_custom_properties repository_hooks secret_scanning_alerts secrets security_events single_file statuses " +
  "vulnerability_alerts";
const level = <const L extends string>(levels: readonly L[]) => Type.Optional(oneOfStrings(levels));

export const githubRepoTokenRequestFile = named(
  "v1/github-repo-token-request.json",
  exactly({
    repositories: Type.Array(Type.String({ pattern: "^[A-Za-z0-9._-]+$" }), { minItems: 1, maxItems: 500 }),
    permissions: Type.Object(
      {
        ...Object.fromEntries(READ_WRITE.split(" ").map((name) => [name, level(["read", "write"])])),
        repository_projects: level(["read", "write", "admin"]),
        workflows: level(["write"]),
      },
      {
        additionalProperties: false,
        minProperties: 1,
        examples: [{ contents: "read", pull_requests: "write" }],
      },
    ),
  }),
);
export const githubTokenFile = named(
  "v1/github-token-response.json",
  exactly({ token: Type.String(), expires: DateTime }),
);
