// getArtifact, artifact and the same for the latest run: where the content of an artifact is.
import type { ArtifactContent } from "../../../../api/queue/artifacts.ts";
import { artifactEndpoints } from "../../../../api/queue/endpoints/artifacts.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Caller } from "../../../core/caller.ts";
import { createTemporaryCredentials } from "../../auth/index.ts";
import type { QueueContext } from "../context.ts";
import { noSuchArtifact, objectNameOf, requireArtifact, requireLatestRun } from "./find-artifact.ts";
import { readTargets, type ArtifactId, type ArtifactRow } from "./store/read-artifacts.ts";
import { InternalError } from "../../../../lib/internal-error.ts";

/** Links that one request follows. Chains have a step or two; those of a task that creates artifacts without end are not read. */
const MAX_LINKS = 1000;
const DOWNLOAD_CREDENTIALS_MS = 3_600_000;

interface ErrorContent {
  readonly storageType: "error";
  readonly reason: string;
  readonly message: string;
}
type Content =
  | { readonly storageType: "object"; readonly key: ArtifactId }
  | { readonly storageType: "s3" | "reference"; readonly url: string }
  | ErrorContent;

/** Where to get an artifact, whatever its type; an artifact of type error has no content. */
export type Location =
  | { readonly storageType: "object" | "s3" | "reference"; readonly url: string }
  | ErrorContent;

/** The root URL that the caller uses: part of the URLs of content that this server holds. */
type RootUrl = () => string;

export const getArtifact =
  (ctx: QueueContext) =>
  async (
    caller: Caller,
    id: ArtifactId,
    rootUrl: RootUrl,
    options: { readonly skipCdn?: boolean } = {},
  ): Promise<Location> =>
    locationOf(ctx, await findContent(ctx, caller, id, rootUrl, options), rootUrl);

export const getLatestArtifact =
  (ctx: QueueContext) =>
  async (caller: Caller, taskId: string, name: string, rootUrl: RootUrl): Promise<Location> => {
    caller.authorize(artifactEndpoints.getLatestArtifact, { names: [name] });
    const runId = await requireLatestRun(ctx, taskId);
    return locationOf(ctx, await findContent(ctx, caller, { taskId, runId, name }, rootUrl), rootUrl);
  };

export const artifact =
  (ctx: QueueContext) =>
  async (caller: Caller, id: ArtifactId, rootUrl: RootUrl): Promise<ArtifactContent> =>
    withCredentials(ctx, await findContent(ctx, caller, id, rootUrl));

export const latestArtifact =
  (ctx: QueueContext) =>
  async (caller: Caller, taskId: string, name: string, rootUrl: RootUrl): Promise<ArtifactContent> => {
    caller.authorize(artifactEndpoints.latestArtifact, { names: [name] });
    const runId = await requireLatestRun(ctx, taskId);
    return withCredentials(ctx, await findContent(ctx, caller, { taskId, runId, name }, rootUrl));
  };

async function locationOf(ctx: QueueContext, content: Content, rootUrl: RootUrl): Promise<Location> {
  if (content.storageType !== "object") return content;
  const url = await ctx.objects.downloadUrl(objectNameOf(content.key), rootUrl());
  return { storageType: "object", url };
}

/** The content of an object is returned by the object service: the caller gets credentials for it. */
function withCredentials(ctx: QueueContext, content: Content): ArtifactContent {
  if (content.storageType !== "object") return content;
  const { taskId, runId, name: artifactName } = content.key;
  const name = objectNameOf(content.key);
  const now = ctx.clock.now();
  const credentials = createTemporaryCredentials({
    issuer: ctx.issuer,
    // Names of artifacts may have characters that client ids may not have.
    clientId: `artifact-download/${taskId}/${runId}/${artifactName.replaceAll(/[^A-Za-z0-9!@/:.+|_-]/g, "_")}`,
    scopes: [`object:download:${name}`],
    start: now,
    expiry: now + DOWNLOAD_CREDENTIALS_MS,
  });
  return { storageType: "object", name, credentials };
}

/** Follows links to the artifact that has content. All methods require the same scopes, of each name on the way. */
async function findContent(
  ctx: QueueContext,
  caller: Caller,
  id: ArtifactId,
  rootUrl: RootUrl,
  { skipCdn = false }: { readonly skipCdn?: boolean } = {},
): Promise<Content> {
  // Before the artifact is read: a caller who may not read it must not learn whether it exists.
  caller.authorize(artifactEndpoints.getArtifact, { names: [id.name] });
  const first = await requireArtifact(ctx, id);
  if (first.storage_type !== "link") return contentOf(ctx, id, first, rootUrl, skipCdn);
  const targets = new Map((await readTargets(ctx.db, id, MAX_LINKS)).map((row) => [row.name, row]));
  const names = new Set([id.name]);
  let name = targetOf(first);
  for (
    let row = targets.get(name);
    row?.storage_type === "link" && !names.has(name);
    row = targets.get(name)
  ) {
    names.add(name);
    name = targetOf(row);
  }
  const isCycle = names.has(name);
  // All names together, so that the error of a caller who lacks several scopes has all of them.
  caller.authorize(artifactEndpoints.getArtifact, { names: [...names.add(name)] });
  if (isCycle)
    throw new ApiError(
      "InputError",
      `The links form a cycle: ${[...names, name].join(" → ")}. Create one of them again, as a link to an artifact with content.`,
    );
  const end = { ...id, name };
  if (names.size > MAX_LINKS + 1)
    throw new ApiError(
      "InputError",
      `"${id.name}" is a chain of more than ${MAX_LINKS} links. Create it again, as a link to the artifact with content.`,
    );
  const row = targets.get(name);
  if (!row?.present) throw noSuchArtifact(end);
  return contentOf(ctx, end, row, rootUrl, skipCdn);
}

/** Returns the name in the details of a link, which createArtifact wrote. */
const targetOf = ({ details }: ArtifactRow): string => (JSON.parse(details) as { artifact: string }).artifact;

async function contentOf(
  ctx: QueueContext,
  key: ArtifactId,
  row: ArtifactRow,
  rootUrl: RootUrl,
  skipCdn: boolean,
): Promise<Content> {
  if (row.expires.getTime() < ctx.clock.now())
    throw new ApiError(
      "ResourceExpired",
      `Artifact "${key.name}" of run ${key.runId} of task ${key.taskId} expired at ${row.expires.toISOString()}. Rerun the task to create it again.`,
    );
  if (row.storage_type === "s3")
    return {
      storageType: "s3",
      url: await ctx.artifacts.downloadUrl({ key, rootUrl: rootUrl(), skipCdn }),
    };
  if (row.storage_type === "object") return { storageType: "object", key };
  // The details were written by createArtifact, in the form that the table documents for each type.
  if (row.storage_type === "reference") {
    const { url } = JSON.parse(row.details) as { url: string };
    return { storageType: "reference", url };
  }
  if (row.storage_type === "error") {
    const { reason, message } = JSON.parse(row.details) as { reason: string; message: string };
    return { storageType: "error", reason, message };
  }
  throw new InternalError(`an artifact of type ${row.storage_type} has no content to return`);
}
