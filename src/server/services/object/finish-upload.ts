// finishUpload: from here on the object is there to be read.
import type { objectApi } from "../../../api/object/index.ts";
import { ApiError } from "../../../lib/errors.ts";
import { slugid } from "../../../lib/slugid.ts";
import type { ContentKey, UploadKey } from "../../core/artifact-store/index.ts";
import { reportFailures } from "../../core/artifact-store/report-failures.ts";
import { RawJson } from "../../core/http/replies.ts";
import type { Handler } from "../../core/http/serve.ts";
import type { ObjectContext } from "./context.ts";
import { checkedHashes, requireAgreement, type KnownHashes } from "./hashes.ts";
import { isFinished } from "./download.ts";
import { finish, forgetParts, noteContentId, readObject, type ObjectRow } from "./store.ts";
import { begunParts } from "./upload-methods.ts";

export function finishUpload(ctx: ObjectContext): Handler<typeof objectApi.endpoints.finishUpload> {
  // Making one thing of parts may take longer than clients wait, who then call again: all calls wait for the one.
  const underWay = new Map<string, Promise<void>>();

  async function endOnce(
    upload: ObjectRow,
    given: KnownHashes,
    partEtags?: readonly string[],
  ): Promise<void> {
    const id = `${upload.upload_id} ${upload.name}`;
    const ending = underWay.get(id);
    if (ending) {
      await ending;
      requireKnown(await requireUpload(ctx, upload.name, upload.project_id, upload.upload_id), given);
      return;
    }
    const own = end(ctx, upload, given, partEtags).finally(() => underWay.delete(id));
    underWay.set(id, own);
    await own;
  }

  return async (call) => {
    const { name } = call.params;
    const { projectId, uploadId, partEtags } = call.body;
    call.authorize({ projectId, name });
    const given = checkedHashes(call.body.hashes);
    const upload = await requireUpload(ctx, name, projectId, uploadId);
    if (upload.upload_expires === null) requireKnown(upload, given);
    else await endOnce(upload, given, partEtags);
    return new RawJson("{}");
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
      `There is no upload for object "${name}": it was never created, or not finished in time.`,
    );
  if (upload.project_id !== projectId)
    throw new ApiError("InputError", `Object "${name}" does not belong to project "${projectId}".`);
  if (upload.upload_id !== uploadId)
    throw new ApiError(
      "RequestConflict",
      `The upload of object "${name}" has another id than ${uploadId}: somebody else creates or created it.`,
    );
  return upload;
}

/** A repeated call may say less than the first one, but nothing else and nothing new. */
function requireKnown(object: ObjectRow, given: KnownHashes): void {
  requireAgreement(object.name, given, object.hashes, "what was finished");
  const unknown = Object.keys(given).filter((algorithm) => !Object.hasOwn(object.hashes, algorithm));
  if (unknown.length > 0)
    throw new ApiError(
      "RequestConflict",
      `Object "${object.name}" was finished without its ${unknown.join(" and ")}, which cannot be added any more.`,
    );
}

async function end(
  ctx: ObjectContext,
  upload: ObjectRow,
  given: KnownHashes,
  partEtags: readonly string[] | undefined,
): Promise<void> {
  try {
    await tryToEnd(ctx, upload, given, partEtags);
  } catch (err) {
    // Another process may have been faster: then that is how it ended.
    const now = await readObject(ctx.db, upload.name);
    if (now?.upload_id !== upload.upload_id || !isFinished(now)) throw err;
    requireKnown(now, given);
  }
}

/**
 * Puts the content where no URL that was given leads, under a name of its own that this call alone writes to, and then
 * says that this is it: so of calls in several processes one counts, and nothing changes it afterwards.
 */
async function tryToEnd(
  ctx: ObjectContext,
  upload: ObjectRow,
  given: KnownHashes,
  partEtags: readonly string[] | undefined,
): Promise<void> {
  const { name, upload_id: uploadId } = upload;
  requireAgreement(name, given, upload.hashes, "an earlier call");
  const begun = begunParts(upload);
  const ofParts = partEtags && begun;
  if (ofParts) await ctx.artifacts.parts?.complete(ofParts.key, ofParts.uploadId, partEtags);
  const source = ofParts ? ofParts.key : { object: name, uploadId };
  const stored = await ctx.artifacts.stat(source);
  if (!stored)
    throw new ApiError(
      "RequestConflict",
      `Nothing was uploaded for object "${name}", so it cannot be finished. Upload it as createUpload says` +
        `${begun ? ", and give the ETags of its parts as partEtags" : ""}.`,
    );
  if (upload.content_length !== null && stored.size !== upload.content_length) {
    // These parts have become something, and take no others.
    if (ofParts && (await forgetParts(ctx.db, upload)) > 0) await remove(ctx, [source]);
    throw new ApiError(
      "RequestConflict",
      `Object "${name}" was announced with ${upload.content_length} bytes, but ${stored.size} were uploaded. ` +
        `Upload it again.`,
    );
  }
  const own: KnownHashes = stored.sha256 === undefined ? {} : { sha256: stored.sha256 };
  requireAgreement(name, { ...upload.hashes, ...given }, own, "the content that was uploaded");
  const content = ofParts ? ofParts.key : await keep(ctx, upload, stored.etag);
  if ((await finish(ctx.db, upload, content.contentId, { ...given, ...own })) === 0) {
    if (!ofParts) await remove(ctx, [content]);
    throw changed(name);
  }
  if (ofParts) return;
  await remove(ctx, [source]);
  // It went up in one piece after it had begun in parts.
  if (begun) await ctx.artifacts.parts?.abort(begun.key, begun.uploadId);
}

/** Copies what was uploaded to where the content stays. */
async function keep(ctx: ObjectContext, upload: ObjectRow, etag: string): Promise<ContentKey> {
  const { name, upload_id: uploadId } = upload;
  const content = { object: name, contentId: slugid() };
  if ((await noteContentId(ctx.db, upload, content.contentId)) === 0) throw changed(name);
  if (!(await ctx.artifacts.copyUpload({ object: name, uploadId }, content, etag))) throw changed(name);
  return content;
}

const changed = (name: string): ApiError =>
  new ApiError(
    "RequestConflict",
    `The upload of object "${name}" was changed or removed while this call was under way: repeat it.`,
  );

/** What cannot be removed goes when the object expires. */
async function remove(ctx: ObjectContext, keys: readonly (UploadKey | ContentKey)[]): Promise<void> {
  reportFailures(ctx.monitor, await ctx.artifacts.delete(keys));
}
