// Methods that return credentials for other systems. All but the token for websocktunnel check the scopes and then reply
// 404: this server issues no such credentials.
import { allOf, anyOf, forEach, ifThen } from "../../../lib/scopes/template.ts";
import { endpoint } from "../../endpoint.ts";
import {
  awsS3CredentialsFile,
  azureAccountsFile,
  azureContainerSasFile,
  azureContainersFile,
  azureTableSasFile,
  azureTablesFile,
  gcpCredentialsFile,
  githubRepoTokenRequestFile,
  githubTokenFile,
  sentryDsnFile,
  websocktunnelTokenFile,
  WST_AUDIENCE_PATTERN,
  WST_CLIENT_PATTERN,
} from "../other-systems.ts";

const level = /^(read-write|read-only)$/;
const name = /^[\x20-\x7e]+$/;
const token = { continuationToken: /./ } as const;

/** Requires one of two scopes to read, and the stronger one to write. */
const byLevel = <const R extends string, const W extends string>(readOnly: R, readWrite: W) =>
  ifThen("levelIsReadOnly", anyOf(readOnly, readWrite), readWrite);

const notConfigured = "Not configured on this server: after the scopes were checked, the reply is 404.";

export const otherSystemEndpoints = {
  awsS3Credentials: endpoint({
    method: "GET",
    path: "/aws/s3/:level/:bucket/*prefix",
    params: { level, bucket: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, prefix: /^[\x20-\x7e]*$/ },
    query: { format: /^iam-role-compat$/ },
    name: "awsS3Credentials",
    category: "AWS Credentials",
    stability: "stable",
    title: "Get credentials for a prefix of an S3 bucket",
    description: notConfigured,
    scopes: byLevel("auth:aws-s3:read-only:<bucket>/<prefix>", "auth:aws-s3:read-write:<bucket>/<prefix>"),
    reply: awsS3CredentialsFile,
  }),
  azureAccounts: endpoint({
    method: "GET",
    path: "/azure/accounts",
    name: "azureAccounts",
    category: "Azure Credentials",
    stability: "deprecated",
    title: "List Azure accounts",
    description: notConfigured,
    scopes: "auth:azure-table:list-accounts",
    reply: azureAccountsFile,
  }),
  azureTables: endpoint({
    method: "GET",
    path: "/azure/:account/tables",
    params: { account: name },
    query: token,
    name: "azureTables",
    category: "Azure Credentials",
    stability: "deprecated",
    title: "List the tables of an Azure account",
    description: notConfigured,
    scopes: "auth:azure-table:list-tables:<account>",
    reply: azureTablesFile,
  }),
  azureTableSAS: endpoint({
    method: "GET",
    path: "/azure/:account/table/:table/:level",
    params: { account: name, table: name, level },
    name: "azureTableSAS",
    category: "Azure Credentials",
    stability: "deprecated",
    title: "Get a signature for an Azure table",
    description: notConfigured,
    scopes: byLevel(
      "auth:azure-table:read-only:<account>/<table>",
      "auth:azure-table:read-write:<account>/<table>",
    ),
    reply: azureTableSasFile,
  }),
  azureContainers: endpoint({
    method: "GET",
    path: "/azure/:account/containers",
    params: { account: name },
    query: token,
    name: "azureContainers",
    category: "Azure Credentials",
    stability: "deprecated",
    title: "List the containers of an Azure account",
    description: notConfigured,
    scopes: "auth:azure-container:list-containers:<account>",
    reply: azureContainersFile,
  }),
  azureContainerSAS: endpoint({
    method: "GET",
    path: "/azure/:account/containers/:container/:level",
    params: { account: name, container: name, level },
    name: "azureContainerSAS",
    category: "Azure Credentials",
    stability: "deprecated",
    title: "Get a signature for an Azure container",
    description: notConfigured,
    scopes: byLevel(
      "auth:azure-container:read-only:<account>/<container>",
      "auth:azure-container:read-write:<account>/<container>",
    ),
    reply: azureContainerSasFile,
  }),
  sentryDSN: endpoint({
    method: "GET",
    path: "/sentry/:project/dsn",
    params: { project: /^[a-zA-Z0-9_-]{1,22}$/ },
    name: "sentryDSN",
    category: "Sentry Credentials",
    stability: "stable",
    title: "Get the DSN of a Sentry project",
    description: notConfigured,
    scopes: "auth:sentry:<project>",
    reply: sentryDsnFile,
  }),
  websocktunnelToken: endpoint({
    method: "GET",
    path: "/websocktunnel/:wstAudience/:wstClient",
    params: { wstAudience: new RegExp(WST_AUDIENCE_PATTERN), wstClient: new RegExp(WST_CLIENT_PATTERN) },
    name: "websocktunnelToken",
    category: "Websocktunnel Credentials",
    stability: "stable",
    title: "Get a token for websocktunnel",
    description:
      "Returns a token with which a worker exposes a port through websocktunnel for 96 hours. Workers use it for live logs and interactive tasks. The reply is 404 unless `auth.websocktunnelSecret` is set.",
    scopes: "auth:websocktunnel-token:<wstAudience>/<wstClient>",
    reply: websocktunnelTokenFile,
  }),
  gcpCredentials: endpoint({
    method: "GET",
    path: "/gcp/credentials/:projectId/:serviceAccount",
    params: { projectId: name, serviceAccount: name },
    name: "gcpCredentials",
    category: "GCP Credentials",
    stability: "stable",
    title: "Get credentials of a GCP service account",
    description: notConfigured,
    scopes: "auth:gcp:access-token:<projectId>/<serviceAccount>",
    reply: gcpCredentialsFile,
  }),
  githubRepoToken: endpoint({
    method: "POST",
    path: "/github/:appName/:owner/repo-token",
    params: { appName: name, owner: name },
    name: "githubRepoToken",
    category: "Github Credentials",
    stability: "experimental",
    title: "Get a GitHub token for repositories",
    description: `${notConfigured} The caller needs a scope for each repository and permission, such as \`auth:github-repo-token:app/owner/repo:contents:read\`.`,
    scopes: allOf(forEach("repoPerm", "repoPerms", "auth:github-repo-token:<appName>/<owner>/<repoPerm>")),
    body: githubRepoTokenRequestFile,
    reply: githubTokenFile,
  }),
} as const;
