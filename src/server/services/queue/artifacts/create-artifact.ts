// createArtifact: records what a run leaves behind, and returns where to upload its bytes.
import type {
  CreateArtifactReply,
  CreateArtifactRequest,
  STORAGE_TYPES,
} from "../../../../api/queue/artifacts.ts";
import { artifactEndpoints } from "../../../../api/queue/endpoints/artifacts.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { slugid } from "../../../../lib/slugid.ts";
import type { Caller } from "../../../core/caller.ts";
import type { Queryable } from "../../../core/db.ts";
import { parseJson } from "../../../core/json.ts";
import { createTemporaryCredentials } from "../../auth/index.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { UPLOAD_URL_GRACE_MS } from "../../../core/artifact-store/index.ts";
import { readTasks } from "../tasks/store/read-tasks.ts";
import { acceptsArtifacts, whenAccepted } from "./accepts-artifacts.ts";
import { objectNameOf, uploadIdOf } from "./find-artifact.ts";
import { readArtifact, type ArtifactId } from "./store/read-artifacts.ts";
import { lockTask, writeArtifact, type NewArtifact } from "./store/write-artifact.ts";

const MAX_NAME_LENGTH = 1024;
/** Allowed in headers, and in the path parameters of these methods. */
const PRINTABLE = /^[\x20-\x7e]*$/;
const UPLOAD_CREDENTIALS_MS = 24 * 3_600_000;

function refuse(message: string): never {
  // oxlint-disable-next-line messages/next-step -- the callers of this function state what would be right
  throw new ApiError("InputError", message);
}

/** `rootUrl` is the URL by which the caller reaches this server: part of the URL of an upload to it. */
export const createArtifact =
  (ctx: QueueContext) =>
  async (
    caller: Caller,
    id: ArtifactId,
    request: CreateArtifactRequest,
    rootUrl: () => string,
  ): Promise<CreateArtifactReply> => {
    caller.authorize(artifactEndpoints.createArtifact, { taskId: id.taskId, runId: id.runId });
    const artifact = checkArtifact(ctx, id, request);
    if (artifact.storageType === "s3") {
      ctx.artifacts.requireStorable(artifact);
      // No event is published, so there is no order to keep, and one statement suffices.
      await writeTo(ctx, ctx.db, artifact);
      return { storageType: "s3", ...(await upload(ctx, artifact, rootUrl())) };
    }
    if (artifact.storageType === "object") return createObject(ctx, artifact);
    // The lock keeps the event in order with the other events of the task, and its status up to date.
    await ctx.db.tx(async (tx) => {
      await lockTask(tx, artifact.taskId);
      await writeTo(ctx, tx, artifact);
    });
    return { storageType: artifact.storageType };
  };

interface CheckedArtifact extends NewArtifact {
  readonly storageType: (typeof STORAGE_TYPES)[number];
}

/** Reserves the name of the object in the same transaction, so that neither exists without the other. */
async function createObject(ctx: QueueContext, artifact: CheckedArtifact): Promise<CreateArtifactReply> {
  const { taskId, runId, expires } = artifact;
  const name = objectNameOf(artifact);
  const uploadId = uploadIdOf(artifact.details);
  const { projectId, workerGroup, workerId } = await ctx.db.tx(async (tx) => {
    const of = await writeTo(ctx, tx, artifact);
    await ctx.objects.reserve(tx, { name, projectId: of.projectId, uploadId, expires });
    return of;
  });
  const now = ctx.clock.now();
  const credentials = createTemporaryCredentials({
    issuer: ctx.issuer,
    clientId: `artifact-upload/${taskId}/${runId}/on/${workerGroup}/${workerId}`,
    scopes: [`object:upload:${projectId}:${name}`],
    start: now,
    expiry: Math.min(Date.parse(expires), now + UPLOAD_CREDENTIALS_MS),
  });
  return { storageType: "object", name, projectId, uploadId, expires, credentials };
}

/** Checks everything that does not depend on the task. */
function checkArtifact(ctx: QueueContext, id: ArtifactId, body: CreateArtifactRequest): CheckedArtifact {
  const expires = Date.parse(body.expires);
  if (expires < ctx.clock.now() - ctx.config.deadlineTolerance)
    refuse(`expires (${body.expires}) cannot be in the past; it is ${timestamp(ctx)} here.`);
  if (id.name.length > MAX_NAME_LENGTH)
    refuse(`The artifact's name has ${id.name.length} characters; the limit is ${MAX_NAME_LENGTH}.`);
  const contentType = ("contentType" in body ? body.contentType : undefined) ?? "application/binary";
  if (!PRINTABLE.test(contentType))
    refuse(
      `contentType ${JSON.stringify(contentType)} has characters that are not allowed in a Content-Type header.`,
    );
  const contentLength = "contentLength" in body ? body.contentLength : undefined;
  if (contentLength !== undefined && !Number.isSafeInteger(contentLength))
    refuse(`contentLength (${contentLength}) is too large for a number of bytes.`);
  return {
    ...id,
    ...detailsOf(body),
    contentType,
    contentLength: contentLength ?? null,
    present: body.storageType !== "object",
    expires: new Date(expires).toISOString(),
  };
}

function detailsOf(body: CreateArtifactRequest): Pick<CheckedArtifact, "storageType" | "details"> {
  const { storageType } = body;
  if (storageType === "object") return { storageType, details: JSON.stringify({ uploadId: slugid() }) };
  if (storageType === "s3") return { storageType, details: "{}" };
  if (storageType === "reference") {
    if (!/^https?:\/\//i.test(body.url) || !URL.canParse(body.url))
      refuse(
        `url must be a URL that starts with https:// or http://, so that it is safe to redirect to; it is ${JSON.stringify(body.url.slice(0, 100))}.`,
      );
    return { storageType, details: JSON.stringify({ url: body.url }) };
  }
  if (storageType === "error")
    return { storageType, details: JSON.stringify({ reason: body.reason, message: body.message }) };
  if (body.artifact === "" || !PRINTABLE.test(body.artifact))
    refuse("artifact, the name to which the link leads, must be printable ASCII and not empty.");
  return { storageType, details: JSON.stringify({ artifact: body.artifact }) };
}

/**
 * Checks what depends on the task, and writes the artifact with its event, if it has one. Returns the project of the task
 * and the worker of the run.
 */
async function writeTo(
  ctx: QueueContext,
  db: Queryable,
  artifact: CheckedArtifact,
): Promise<{ projectId: string; workerGroup: string; workerId: string }> {
  const { taskId, runId } = artifact;
  const [task] = await readTasks(db, [taskId]);
  if (!task)
    refuse(`Task ${taskId} does not exist: it was never created here, or has expired: check its id.`);
  const status = parseJson(task.status);
  const run = status.runs[runId];
  if (!run)
    refuse(
      `Task ${taskId} has no run ${runId}, so no artifact of it can be created: use a run that a worker holds.`,
    );
  if (run.workerGroup === undefined || run.workerId === undefined)
    refuse(`Run ${runId} of task ${taskId} was never claimed, so it has no artifacts: claim it first.`);
  if (Date.parse(artifact.expires) > task.expires.getTime())
    refuse(
      `expires (${artifact.expires}) must not be after the task expires (${task.expires.toISOString()}).`,
    );
  if (!acceptsArtifacts(ctx, run))
    throw new ApiError(
      "RequestConflict",
      `Run ${runId} of task ${taskId} is not running: artifacts can be created ${whenAccepted(ctx)}. ` +
        `Stop working on it. ` +
        `The task's status is: ${JSON.stringify(status, null, 2)}`,
    );
  const { workerGroup, workerId } = run;
  const announced = artifact.storageType !== "s3" && artifact.present;
  const announce = announced ? { workerGroup, workerId, status: task.status } : null;
  if (!(await writeArtifact(db, artifact, announce))) throw await conflict(db, artifact);
  return { projectId: task.project_id, workerGroup, workerId };
}

async function conflict(db: Queryable, artifact: NewArtifact): Promise<ApiError> {
  const existing = await readArtifact(db, artifact);
  return new ApiError(
    "RequestConflict",
    `Artifact "${artifact.name}" of run ${artifact.runId} of task ${artifact.taskId} exists already as ` +
      `${describe(existing?.storage_type, existing?.content_type, existing?.expires.toISOString())} and cannot ` +
      `become ${describe(artifact.storageType, artifact.contentType, artifact.expires)}: when an artifact is ` +
      `created again, its storage type, content type and details stay, and it expires no earlier; only a ` +
      `reference may get another URL, or become a link, and one of type object is created only once. Choose another name.`,
  );
}

const describe = (storageType = "?", contentType = "?", expires = "?"): string =>
  `${storageType} of type "${contentType}" that expires ${expires}`;

async function upload(
  ctx: QueueContext,
  artifact: CheckedArtifact,
  rootUrl: string,
): Promise<{ contentType: string; expires: string; putUrl: string }> {
  const { taskId, runId, name, contentType } = artifact;
  const until = ctx.clock.now() + ctx.config.artifactUploadExpires;
  const putUrl = await ctx.artifacts.uploadUrl({
    key: { taskId, runId, name },
    contentType,
    expires: until + UPLOAD_URL_GRACE_MS,
    rootUrl,
  });
  return { contentType, expires: new Date(until).toISOString(), putUrl };
}
