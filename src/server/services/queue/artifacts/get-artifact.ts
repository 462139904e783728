// getArtifact, artifact and their latest-run forms: the way to an artifact's content.
import type { artifactEndpoints } from "../../../../api/queue/endpoints/artifacts.ts";
import type { ArtifactContent } from "../../../../api/queue/artifacts.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { callersRootUrl } from "../../../core/http/callers-root-url.ts";
import type { Call } from "../../../core/http/call.ts";
import { Reply } from "../../../core/http/replies.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { createTemporaryCredentials } from "../../auth/index.ts";
import type { QueueContext } from "../context.ts";
import type { ArtifactId, ArtifactRow } from "./store.ts";
import { objectNameOf } from "./object-artifact.ts";
import { idOf, requireArtifact, requireLatestRun } from "./find-artifact.ts";

/** Links that one request follows. Chains are a step or two; without an end to it, one call could read for minutes. */
const MAX_LINKS = 32;
const DOWNLOAD_CREDENTIALS_MS = 3_600_000;

/** What the calls of all four methods have. */
type ReadCall = Pick<Call<typeof artifactEndpoints.getArtifact>, "authorize" | "request">;

type Content =
  | { readonly storageType: "object"; readonly key: ArtifactId }
  | { readonly storageType: "s3" | "reference"; readonly url: string }
  | { readonly storageType: "error"; readonly reason: string; readonly message: string };

export function getArtifact(ctx: QueueContext): Handler<typeof artifactEndpoints.getArtifact> {
  return async (call) => {
    // Only here and not for the latest run: so it is in the compatible system.
    const skipCdn = /^(true|1)$/.test(String(call.request.headers["x-taskcluster-skip-cdn"]));
    return redirect(ctx, call, await locate(ctx, call, idOf(call.params), { skipCdn }));
  };
}

export function getLatestArtifact(ctx: QueueContext): Handler<typeof artifactEndpoints.getLatestArtifact> {
  return async (call) => {
    const { taskId, name } = call.params;
    call.authorize({ names: [name] });
    const runId = await requireLatestRun(ctx, taskId);
    return redirect(ctx, call, await locate(ctx, call, { taskId, runId, name }));
  };
}

export function artifact(ctx: QueueContext): Handler<typeof artifactEndpoints.artifact> {
  return async (call) => contentReply(ctx, await locate(ctx, call, idOf(call.params)));
}

export function latestArtifact(ctx: QueueContext): Handler<typeof artifactEndpoints.latestArtifact> {
  return async (call) => {
    const { taskId, name } = call.params;
    const runId = await requireLatestRun(ctx, taskId);
    return contentReply(ctx, await locate(ctx, call, { taskId, runId, name }));
  };
}

async function redirect(ctx: QueueContext, call: ReadCall, content: Content): Promise<Reply> {
  const { storageType } = content;
  const headers = { "x-taskcluster-artifact-storage-type": storageType };
  if (content.storageType === "error")
    return new Reply(424, { reason: content.reason, message: content.message }, { headers });
  const url =
    content.storageType === "object"
      ? await ctx.objects.downloadUrl(objectNameOf(content.key), callersRootUrl(call.request))
      : content.url;
  return new Reply(303, { storageType, url }, { headers: { ...headers, location: url } });
}

/** An object's content is for its service to hand out: the caller gets what it takes to ask there. */
function contentReply(ctx: QueueContext, content: Content): ArtifactContent {
  if (content.storageType !== "object") return content;
  const { taskId, runId, name: artifactName } = content.key;
  const name = objectNameOf(content.key);
  const now = ctx.clock.now();
  const credentials = createTemporaryCredentials({
    issuer: ctx.issuer,
    // Names have characters that ids of clients may not have.
    clientId: `artifact-download/${taskId}/${runId}/${artifactName.replaceAll(/[^A-Za-z0-9!@/:.+|_-]/g, "_")}`,
    scopes: [`object:download:${name}`],
    start: now,
    expiry: now + DOWNLOAD_CREDENTIALS_MS,
  });
  return { storageType: "object", name, credentials };
}

/** Follows links to the artifact that has content, and says where that is. */
async function locate(
  ctx: QueueContext,
  call: ReadCall,
  id: ArtifactId,
  { skipCdn = false } = {},
): Promise<Content> {
  const names = new Set<string>();
  for (let name = id.name; ;) {
    // Before the look-up: whoever may not read a name is not to learn whether there is such an artifact.
    call.authorize({ names: [name] });
    if (names.has(name))
      throw new ApiError("InputError", `The links go round in a circle: ${[...names, name].join(" → ")}.`);
    if (names.size > MAX_LINKS)
      throw new ApiError("InputError", `"${id.name}" is a chain of more than ${MAX_LINKS} links.`);
    names.add(name);
    const found = await requireArtifact(ctx, { ...id, name });
    if (found.storage_type !== "link") return contentOf(ctx, call, { ...id, name }, found, skipCdn);
    ({ artifact: name } = JSON.parse(found.details) as { artifact: string });
  }
}

async function contentOf(
  ctx: QueueContext,
  call: ReadCall,
  key: ArtifactId,
  row: ArtifactRow,
  skipCdn: boolean,
): Promise<Content> {
  if (row.expires.getTime() < ctx.clock.now())
    throw new ApiError(
      "ResourceExpired",
      `Artifact "${key.name}" of run ${key.runId} of task ${key.taskId} expired at ${row.expires.toISOString()}.`,
    );
  if (row.storage_type === "s3") {
    const rootUrl = callersRootUrl(call.request);
    return { storageType: "s3", url: await ctx.artifacts.downloadUrl({ key, rootUrl, skipCdn }) };
  }
  if (row.storage_type === "object") return { storageType: "object", key };
  // The details were written by createArtifact, in the form that the table tells for each type.
  if (row.storage_type === "reference") {
    const { url } = JSON.parse(row.details) as { url: string };
    return { storageType: "reference", url };
  }
  if (row.storage_type === "error") {
    const { reason, message } = JSON.parse(row.details) as { reason: string; message: string };
    return { storageType: "error", reason, message };
  }
  throw new Error(`an artifact of type ${row.storage_type} cannot be read here`);
}
