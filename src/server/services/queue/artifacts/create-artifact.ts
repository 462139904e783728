// createArtifact: names what a run leaves behind, and says where its bytes go.
import type { artifactEndpoints } from "../../../../api/queue/endpoints/artifacts.ts";
import type {
  CreateArtifactReply,
  CreateArtifactRequest,
  STORAGE_TYPES,
} from "../../../../api/queue/artifacts.ts";
import type { Run } from "../../../../api/queue/status.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { slugid } from "../../../../lib/slugid.ts";
import type { Queryable } from "../../../core/db.ts";
import { callersRootUrl } from "../../../core/http/callers-root-url.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { timestamp, type QueueContext } from "../context.ts";
import { statusOf } from "../tasks/find-task.ts";
import { createTemporaryCredentials } from "../../auth/index.ts";
import { lockTask, readArtifact, writeArtifact, type NewArtifact } from "./store.ts";
import { readTasks } from "../tasks/store/read-tasks.ts";
import { idOf } from "./find-artifact.ts";
import { objectNameOf, uploadIdOf } from "./object-artifact.ts";

const MAX_NAME_LENGTH = 1024;
/** What a header can carry, and what a path parameter of these methods may be. */
const PRINTABLE = /^[\x20-\x7e]*$/;
/** A client starts its upload within the time it was told; the way to us may take a little longer. */
const UPLOAD_GRACE_MS = 10_000;
const UPLOAD_CREDENTIALS_MS = 24 * 3_600_000;

function refuse(message: string): never {
  throw new ApiError("InputError", message);
}

export function createArtifact(ctx: QueueContext): Handler<typeof artifactEndpoints.createArtifact> {
  return async (call) => {
    const artifact = checkedArtifact(ctx, call.params, call.body);
    if (artifact.storageType === "s3") {
      ctx.artifacts.requireStorable(artifact);
      // No event goes with it, so nothing has to be kept in order, and one statement will do.
      await writeTo(ctx, ctx.db, artifact);
      return { storageType: "s3", ...(await upload(ctx, artifact, callersRootUrl(call.request))) };
    }
    if (artifact.storageType === "object") return createObject(ctx, artifact);
    // The lock keeps the event in the order of the task's others, and its status true.
    await ctx.db.tx(async (tx) => {
      await lockTask(tx, artifact.taskId);
      await writeTo(ctx, tx, artifact);
    });
    return { storageType: artifact.storageType };
  };
}

interface CheckedArtifact extends NewArtifact {
  readonly storageType: (typeof STORAGE_TYPES)[number];
}

/** The name of its object is reserved in the same transaction, so that there is never one without the other. */
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

/** Everything that can be said of the request without looking at the task. */
function checkedArtifact(
  ctx: QueueContext,
  params: Readonly<Record<"taskId" | "runId" | "name", string>>,
  body: CreateArtifactRequest,
): CheckedArtifact {
  const expires = Date.parse(body.expires);
  if (expires < ctx.clock.now() - ctx.config.deadlineTolerance)
    refuse(`expires (${body.expires}) cannot be in the past; it is ${timestamp(ctx)} here.`);
  const id = idOf(params);
  if (id.name.length > MAX_NAME_LENGTH)
    refuse(`The artifact's name has ${id.name.length} characters; it may have ${MAX_NAME_LENGTH}.`);
  const contentType = ("contentType" in body ? body.contentType : undefined) ?? "application/binary";
  if (!PRINTABLE.test(contentType))
    refuse(
      `contentType ${JSON.stringify(contentType)} has characters that no Content-Type header can carry.`,
    );
  const contentLength = "contentLength" in body ? body.contentLength : undefined;
  if (contentLength !== undefined && !Number.isSafeInteger(contentLength))
    refuse(`contentLength (${contentLength}) is beyond any number of bytes.`);
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
  if (storageType === "reference") return { storageType, details: JSON.stringify({ url: body.url }) };
  if (storageType === "error")
    return { storageType, details: JSON.stringify({ reason: body.reason, message: body.message }) };
  if (body.artifact === "" || !PRINTABLE.test(body.artifact))
    refuse("artifact, the name that the link leads to, must be printable ASCII and not empty.");
  return { storageType, details: JSON.stringify({ artifact: body.artifact }) };
}

/**
 * Checks what depends on the task, and writes the artifact with its event, if it has one. Answers the project of the task
 * and the worker of the run.
 */
async function writeTo(
  ctx: QueueContext,
  db: Queryable,
  artifact: CheckedArtifact,
): Promise<{ projectId: string; workerGroup: string; workerId: string }> {
  const { taskId, runId } = artifact;
  const [task] = await readTasks(db, [taskId]);
  if (!task) refuse(`Task ${taskId} does not exist: it was never created here, or has expired.`);
  const run = statusOf(task).runs[runId];
  if (!run) refuse(`Task ${taskId} has no run ${runId}, so no artifact of it can be created.`);
  if (run.workerGroup === undefined || run.workerId === undefined)
    refuse(`Run ${runId} of task ${taskId} was never claimed, so it has no artifacts.`);
  if (Date.parse(artifact.expires) > task.expires.getTime())
    refuse(`expires (${artifact.expires}) cannot be after the task expires (${task.expires.toISOString()}).`);
  if (!takesArtifacts(ctx, run))
    throw new ApiError(
      "RequestConflict",
      `Run ${runId} of task ${taskId} is not running: artifacts can be created only while it runs, and for ` +
        `${ctx.config.artifactAfterException / 60_000} minutes after it ended in an exception. ` +
        `The task's status is: ${JSON.stringify(statusOf(task), null, 2)}`,
    );
  const { workerGroup, workerId } = run;
  const announced = artifact.storageType !== "s3" && artifact.present;
  const announce = announced ? { workerGroup, workerId, status: task.status } : null;
  if (!(await writeArtifact(db, artifact, announce))) throw await conflict(db, artifact);
  return { projectId: task.project_id, workerGroup, workerId };
}

const takesArtifacts = (ctx: QueueContext, run: Run): boolean =>
  run.state === "running" ||
  (run.state === "exception" &&
    run.resolved !== undefined &&
    Date.parse(run.resolved) > ctx.clock.now() - ctx.config.artifactAfterException);

async function conflict(db: Queryable, artifact: NewArtifact): Promise<ApiError> {
  const existing = await readArtifact(db, artifact);
  return new ApiError(
    "RequestConflict",
    `Artifact "${artifact.name}" of run ${artifact.runId} of task ${artifact.taskId} exists already as ` +
      `${describe(existing?.storage_type, existing?.content_type, existing?.expires.toISOString())} and cannot ` +
      `become ${describe(artifact.storageType, artifact.contentType, artifact.expires)}: when an artifact is ` +
      `created again, its storage type, content type and details stay, and it expires no earlier; only a ` +
      `reference may get another URL, or become a link, and one of type object is created only once.`,
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
    expires: until + UPLOAD_GRACE_MS,
    rootUrl,
  });
  return { contentType, expires: new Date(until).toISOString(), putUrl };
}
