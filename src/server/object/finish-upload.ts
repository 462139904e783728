// finishUpload: from here on the object is there to be read.
import type { objectApi } from "../../api/object/index.ts";
import { ApiError } from "../../lib/errors.ts";
import { RawJson } from "../core/http/replies.ts";
import type { Handler } from "../core/http/serve.ts";
import type { ObjectContext } from "./context.ts";
import { checkedHashes, requireAgreement, type KnownHashes } from "./hashes.ts";
import { finish, readObject, type ObjectRow } from "./store.ts";

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
  const unknown = Object.keys(given).filter((algorithm) => !(algorithm in object.hashes));
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
  const { name, parts_id: partsId } = upload;
  const key = { object: name };
  requireAgreement(name, given, upload.hashes, "an earlier call");
  if (partsId !== null && partEtags) await ctx.artifacts.parts?.complete(key, partsId, partEtags);
  const stored = await ctx.artifacts.stat(key);
  if (!stored)
    throw new ApiError(
      "RequestConflict",
      `Nothing was uploaded for object "${name}", so it cannot be finished. Upload it as createUpload says` +
        `${partsId === null ? "" : ", and give the ETags of its parts as partEtags"}.`,
    );
  if (upload.content_length !== null && stored.size !== upload.content_length)
    throw new ApiError(
      "RequestConflict",
      `Object "${name}" was announced with ${upload.content_length} bytes, but ${stored.size} were uploaded. ` +
        `Upload it again.`,
    );
  const own: KnownHashes = stored.sha256 === undefined ? {} : { sha256: stored.sha256 };
  requireAgreement(name, { ...upload.hashes, ...given }, own, "the content that was uploaded");
  if ((await finish(ctx.db, upload, { ...given, ...own })) === 0) {
    const now = await readObject(ctx.db, name);
    if (now?.upload_id !== upload.upload_id || now.upload_expires !== null)
      throw new ApiError(
        "RequestConflict",
        `The upload of object "${name}" was changed or removed while this call was under way: repeat it.`,
      );
    requireKnown(now, given);
    return;
  }
  // It went up in one piece after it had begun in parts.
  if (partsId !== null && !partEtags) await ctx.artifacts.parts?.abort(key, partsId);
}
