// finishUpload: makes an uploaded object available for download.
import type { BodyOf } from "../../../api/endpoint.ts";
import { objectApi } from "../../../api/object/index.ts";
import { ApiError } from "../../../lib/errors.ts";
import { slugid } from "../../../lib/slugid.ts";
import type { ContentKey, UploadKey } from "../../core/artifact-store/index.ts";
import { reportFailures } from "../../core/artifact-store/report-failures.ts";
import type { Caller } from "../../core/caller.ts";
import type { ObjectContext } from "./context.ts";
import { checkHashes, EARLIER, requireAgreement, type KnownHashes } from "./hashes.ts";
import { isFinished } from "./download.ts";
import { addContentId, clearParts, finish, readObject, type ObjectRow } from "./store.ts";
import { startedParts } from "./upload-methods.ts";
import { counted } from "../../../lib/counted.ts";

const { finishUpload: endpoint } = objectApi.endpoints;

export function finishUpload(ctx: ObjectContext) {
  // Assembling parts may take longer than the client's timeout, after which it calls again. All calls share one
  // attempt.
  const inFlight = new Map<string, Promise<void>>();

  async function completeOnce(
    upload: ObjectRow,
    given: KnownHashes,
    partEtags?: readonly string[],
  ): Promise<void> {
    const id = `${upload.upload_id} ${upload.name}`;
    const other = inFlight.get(id);
    if (other) {
      await other;
      requireKnown(await requireUpload(ctx, upload.name, upload.project_id, upload.upload_id), given);
      return;
    }
    const attempt = complete(ctx, upload, given, partEtags).finally(() => inFlight.delete(id));
    inFlight.set(id, attempt);
    await attempt;
  }

  return async (caller: Caller, name: string, request: BodyOf<typeof endpoint>): Promise<void> => {
    const { projectId, uploadId, partEtags } = request;
    caller.authorize(endpoint, { projectId, name });
    const given = checkHashes(request.hashes);
    const upload = await requireUpload(ctx, name, projectId, uploadId);
    if (upload.upload_expires === null) requireKnown(upload, given);
    else await completeOnce(upload, given, partEtags);
  };
}

async function requireUpload(
  ctx: ObjectContext,
  name: string,
  projectId: string,
  uploadId: string,
): Promise<ObjectRow> {
  const upload = await readObject(ctx.db, name);
  if (!upload)
    throw new ApiError(
      "ResourceNotFound",
      `There is no upload for object "${name}": it was never created, or was not finished in time. Call createUpload first.`,
    );
  if (upload.project_id !== projectId)
    throw new ApiError(
      "InputError",
      `Object "${name}" does not belong to project "${projectId}": send the projectId of its createUpload.`,
    );
  if (upload.upload_id !== uploadId)
    throw new ApiError(
      "RequestConflict",
      `The upload of object "${name}" does not have the id ${uploadId}: another caller has created it. Choose another name, or use the id of that upload.`,
    );
  return upload;
}

/** Checks the hashes of a repeated call. It may omit hashes of the first call, but not change or add any. */
function requireKnown(object: ObjectRow, given: KnownHashes): void {
  requireAgreement(object.name, given, object.hashes, "the finished object");
  const unknown = Object.keys(given).filter((algorithm) => !Object.hasOwn(object.hashes, algorithm));
  if (unknown.length > 0)
    throw new ApiError(
      "RequestConflict",
      `Object "${object.name}" was finished without its ${unknown.join(" and ")}, which can no longer be added. Repeat the call without it, or upload the object under another name.`,
    );
}

async function complete(
  ctx: ObjectContext,
  upload: ObjectRow,
  given: KnownHashes,
  partEtags: readonly string[] | undefined,
): Promise<void> {
  try {
    await tryToComplete(ctx, upload, given, partEtags);
  } catch (err) {
    // Another process may have finished the upload first, with the same result.
    const current = await readObject(ctx.db, upload.name);
    if (current?.upload_id !== upload.upload_id || !isFinished(current)) throw err;
    requireKnown(current, given);
  }
}

/**
 * Copies the content to a new key that only this call writes to and that has no upload URL, and then records that key
 * in the row. So one of several concurrent calls wins, and the content does not change afterwards.
 */
async function tryToComplete(
  ctx: ObjectContext,
  upload: ObjectRow,
  given: KnownHashes,
  partEtags: readonly string[] | undefined,
): Promise<void> {
  const { name, upload_id: uploadId } = upload;
  requireAgreement(name, given, upload.hashes, EARLIER);
  const started = startedParts(upload);
  const parts = partEtags && started;
  if (parts) await ctx.artifacts.parts?.complete(parts.key, parts.uploadId, partEtags);
  const source = parts ? parts.key : { object: name, uploadId };
  const stored = await ctx.artifacts.stat(source);
  if (!stored)
    throw new ApiError(
      "RequestConflict",
      `Nothing was uploaded for object "${name}", so it cannot be finished. Upload it with the method that createUpload ` +
        `returned${started ? ", and send the ETags of its parts as partEtags" : ""}.`,
    );
  if (upload.content_length !== null && stored.size !== upload.content_length) {
    // The parts have been assembled, so this upload accepts no others.
    if (parts && (await clearParts(ctx.db, upload)) > 0) await remove(ctx, [source]);
    throw new ApiError(
      "RequestConflict",
      `Object "${name}" was created with a length of ${counted(upload.content_length, "byte")}, but ${stored.size} were uploaded. ` +
        `Upload it again.`,
    );
  }
  const computed: KnownHashes = stored.sha256 === undefined ? {} : { sha256: stored.sha256 };
  requireAgreement(name, { ...upload.hashes, ...given }, computed, "the uploaded content");
  const content = parts ? parts.key : await copyToContent(ctx, upload, stored.etag);
  if ((await finish(ctx.db, upload, content.contentId, { ...given, ...computed })) === 0) {
    if (!parts) await remove(ctx, [content]);
    throw changed(name);
  }
  if (parts) return;
  await remove(ctx, [source]);
  // An upload in parts was started but not used.
  if (started) await ctx.artifacts.parts?.abort(started.key, started.uploadId);
}

/** Copies the upload to a new content key. */
async function copyToContent(ctx: ObjectContext, upload: ObjectRow, etag: string): Promise<ContentKey> {
  const { name, upload_id: uploadId } = upload;
  const content = { object: name, contentId: slugid() };
  if ((await addContentId(ctx.db, upload, content.contentId)) === 0) throw changed(name);
  if (!(await ctx.artifacts.copyUpload({ object: name, uploadId }, content, etag))) throw changed(name);
  return content;
}

const changed = (name: string): ApiError =>
  new ApiError(
    "RequestConflict",
    `The upload of object "${name}" was changed or removed during this call: repeat it.`,
  );

/** Deletes content. If that fails, it is deleted when the object expires. */
async function remove(ctx: ObjectContext, keys: readonly (UploadKey | ContentKey)[]): Promise<void> {
  reportFailures(ctx.monitor, await ctx.artifacts.delete(keys));
}
