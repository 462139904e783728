// getArtifact, artifact and their latest-run forms: the way to an artifact's content.
import type { artifactEndpoints } from "../../../api/queue/artifact-endpoints.ts";
import { ApiError } from "../../../lib/errors.ts";
import type { Call } from "../../core/http/call.ts";
import { Reply } from "../../core/http/replies.ts";
import type { Handler } from "../../core/http/serve.ts";
import type { QueueContext } from "../context.ts";
import type { ArtifactId, ArtifactRow } from "../store/artifacts.ts";
import { callersRootUrl } from "./callers-root-url.ts";
import { idOf, requireArtifact, requireLatestRun } from "./find-artifact.ts";

/** Links that one request follows. Chains are a step or two; without an end to it, one call could read for minutes. */
const MAX_LINKS = 32;

/** What the calls of all four methods have. */
type ReadCall = Pick<Call<typeof artifactEndpoints.getArtifact>, "authorize" | "request">;

type Content =
  | { readonly storageType: "s3" | "reference"; readonly url: string }
  | { readonly storageType: "error"; readonly reason: string; readonly message: string };

export function getArtifact(ctx: QueueContext): Handler<typeof artifactEndpoints.getArtifact> {
  return async (call) => {
    // Only here and not for the latest run: so it is in the compatible system.
    const skipCdn = /^(true|1)$/.test(String(call.request.headers["x-taskcluster-skip-cdn"]));
    return redirect(await locate(ctx, call, idOf(call.params), { skipCdn }));
  };
}

export function getLatestArtifact(ctx: QueueContext): Handler<typeof artifactEndpoints.getLatestArtifact> {
  return async (call) => {
    const { taskId, name } = call.params;
    call.authorize({ names: [name] });
    const runId = await requireLatestRun(ctx, taskId);
    return redirect(await locate(ctx, call, { taskId, runId, name }));
  };
}

export function artifact(ctx: QueueContext): Handler<typeof artifactEndpoints.artifact> {
  return async (call) => locate(ctx, call, idOf(call.params));
}

export function latestArtifact(ctx: QueueContext): Handler<typeof artifactEndpoints.latestArtifact> {
  return async (call) => {
    const { taskId, name } = call.params;
    const runId = await requireLatestRun(ctx, taskId);
    return locate(ctx, call, { taskId, runId, name });
  };
}

function redirect(content: Content): Reply {
  const storageType = { "x-taskcluster-artifact-storage-type": content.storageType };
  if (content.storageType === "error")
    return new Reply(424, { reason: content.reason, message: content.message }, storageType);
  return new Reply(303, content, { ...storageType, location: content.url });
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
