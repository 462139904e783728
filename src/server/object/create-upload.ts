// createUpload: reserves a name, and says how the bytes get there.
import type { objectApi } from "../../api/object/index.ts";
import {
  MAX_INLINE_BYTES,
  MAX_PART_URLS,
  MAX_PARTS,
  type CreateUploadRequest,
  type UploadMethod,
} from "../../api/object/schemas.ts";
import { ApiError } from "../../lib/errors.ts";
import type { Queryable } from "../core/db.ts";
import { callersRootUrl } from "../core/http/callers-root-url.ts";
import type { Handler } from "../core/http/serve.ts";
import type { ObjectContext } from "./context.ts";
import { checkedHashes, hashesOf, requireAgreement, type KnownHashes } from "./hashes.ts";
import { readObject, writePartsId, writeUpload, type ObjectRow } from "./store.ts";

/** Longer than a name can be in S3, or that of any artifact's object. */
const MAX_NAME_LENGTH = 1200;
const UPLOAD_MS = 24 * 3_600_000;
const URL_MS = 45 * 60_000;
/** Large enough for 640 GB in as many parts as there may be; beyond, parts grow. */
const PART_BYTES = 64 * 1024 ** 2;
const MAX_PART_BYTES = 5 * 1024 ** 3;

type Proposed = CreateUploadRequest["proposedUploadMethods"];

export interface Reservation {
  readonly name: string;
  readonly projectId: string;
  readonly uploadId: string;
  readonly expires: string;
}

export function createUpload(ctx: ObjectContext): Handler<typeof objectApi.endpoints.createUpload> {
  return async (call) => {
    const { name } = call.params;
    const { projectId, uploadId, proposedUploadMethods: proposed } = call.body;
    call.authorize({ projectId, name });
    const expires = new Date(call.body.expires).toISOString();
    const inline = proposed.dataInline && decoded(proposed.dataInline.objectData);
    checkProposal(proposed);
    const given = checkedHashes(call.body.hashes);
    if (inline) requireAgreement(name, given, hashesOf(inline), "the content of dataInline");
    const upload = await reserve(
      ctx,
      ctx.db,
      { name, projectId, uploadId, expires },
      {
        hashes: inline ? { ...given, ...hashesOf(inline) } : given,
        contentLength:
          inline?.length ?? (proposed.multipartPutUrls ?? proposed.putUrl)?.contentLength ?? null,
      },
    );
    const uploadMethod = await chosenMethod(ctx, upload, proposed, inline, () =>
      callersRootUrl(call.request),
    );
    return { projectId, uploadId, expires, uploadMethod };
  };
}

/** Reserves a name for an upload, or throws `RequestConflict`. */
export async function reserve(
  ctx: Pick<ObjectContext, "clock">,
  db: Queryable,
  reservation: Reservation,
  content: { readonly hashes: KnownHashes; readonly contentLength: number | null } = {
    hashes: {},
    contentLength: null,
  },
): Promise<ObjectRow> {
  const { name } = reservation;
  if (name.length > MAX_NAME_LENGTH)
    throw new ApiError(
      "InputError",
      `The object's name has ${name.length} characters; it may have ${MAX_NAME_LENGTH}.`,
    );
  const uploadExpires = new Date(ctx.clock.now() + UPLOAD_MS).toISOString();
  const upload = await writeUpload(db, { ...reservation, uploadExpires, ...content });
  if (upload) return upload;
  const existing = await readObject(db, name);
  if (existing && existing.upload_expires !== null && existing.upload_id === reservation.uploadId)
    requireAgreement(name, content.hashes, existing.hashes, "an earlier call");
  throw new ApiError("RequestConflict", takenMessage(reservation, existing));
}

function takenMessage(wanted: Reservation, existing: ObjectRow | undefined): string {
  const { name } = wanted;
  if (!existing) return `Object "${name}" was removed while this call was under way: repeat it.`;
  if (existing.upload_expires === null)
    return `Object "${name}" exists already: it cannot be uploaded again.`;
  const differing = [
    existing.upload_id !== wanted.uploadId && "uploadId",
    existing.project_id !== wanted.projectId && "projectId",
    existing.expires.toISOString() !== wanted.expires && "expires",
  ].filter(Boolean);
  return (
    `There is an upload for object "${name}" already, with another ${differing.join(" and ")}: repeat a call with the ` +
    `same data, or choose another name.`
  );
}

function decoded(base64: string): Buffer {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0)
    throw new ApiError("InputError", "proposedUploadMethods.dataInline.objectData is not base64.");
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length > MAX_INLINE_BYTES)
    throw new ApiError(
      "InputError",
      `proposedUploadMethods.dataInline.objectData has ${bytes.length} bytes; it may have ${MAX_INLINE_BYTES}. ` +
        `Use putUrl for more.`,
    );
  return bytes;
}

/** What the schema leaves open. */
function checkProposal(proposed: Proposed): void {
  for (const [method, of] of Object.entries(proposed)) {
    if (!/^[\x20-\x7e]*$/.test(of.contentType))
      throw new ApiError(
        "InputError",
        `proposedUploadMethods.${method}.contentType ${JSON.stringify(of.contentType)} has characters that no ` +
          `Content-Type header can carry.`,
      );
    if ("contentLength" in of && (of.contentLength < 0 || of.contentLength > MAX_PARTS * MAX_PART_BYTES))
      throw new ApiError(
        "InputError",
        `proposedUploadMethods.${method}.contentLength (${of.contentLength}) is no number of bytes that can be stored.`,
      );
  }
}

async function chosenMethod(
  ctx: ObjectContext,
  upload: ObjectRow,
  proposed: Proposed,
  inline: Buffer | undefined,
  rootUrl: () => string,
): Promise<UploadMethod> {
  const key = { object: upload.name };
  const { dataInline, putUrl, multipartPutUrls: multipart } = proposed;
  if (dataInline && inline) {
    await ctx.artifacts.put(key, dataInline.contentType, inline);
    return { dataInline: true };
  }
  const until = ctx.clock.now() + URL_MS;
  const expires = new Date(until).toISOString();
  if (multipart && ctx.artifacts.parts && (!putUrl || multipart.contentLength > PART_BYTES))
    return { multipartPutUrls: { ...(await partUrls(ctx, upload, multipart, until)), expires } };
  if (!putUrl) return {};
  const { contentType, contentLength } = putUrl;
  const url = await ctx.artifacts.uploadUrl({
    key,
    contentType,
    contentLength,
    expires: until + 10_000,
    rootUrl: rootUrl(),
  });
  const headers = {
    "Content-Type": contentType,
    "Content-Length": String(contentLength),
    "Content-Encoding": "identity",
    // A page that somebody uploaded must not run as one of the store's origin, which others' content shares.
    ...(ctx.artifacts.htmlAsAttachment &&
      /^text\/html\b/i.test(contentType) && { "Content-Disposition": "attachment" }),
  };
  return { putUrl: { url, expires, headers } };
}

async function partUrls(
  ctx: ObjectContext,
  upload: ObjectRow,
  { contentType, contentLength, firstPart }: NonNullable<Proposed["multipartPutUrls"]>,
  until: number,
): Promise<{ partSize: number; partCount: number; firstPart: number; urls: string[] }> {
  const { parts } = ctx.artifacts;
  if (!parts) throw new Error("the store has no uploads in parts");
  const key = { object: upload.name };
  const partSize = Math.max(PART_BYTES, Math.ceil(contentLength / MAX_PARTS));
  // Nothing at all is a part as well.
  const partCount = Math.max(1, Math.ceil(contentLength / partSize));
  if (firstPart > partCount)
    throw new ApiError(
      "InputError",
      `proposedUploadMethods.multipartPutUrls.firstPart is ${firstPart}, but ${contentLength} bytes are ${partCount} parts.`,
    );
  let uploadId = upload.parts_id;
  if (uploadId === null) {
    uploadId = await parts.begin(key, contentType);
    if ((await writePartsId(ctx.db, upload, uploadId)) === 0) {
      // Another call of the same upload was first; the parts of both go to one.
      await parts.abort(key, uploadId);
      uploadId = (await readObject(ctx.db, upload.name))?.parts_id ?? null;
      if (uploadId === null)
        throw new ApiError(
          "RequestConflict",
          `The upload of object "${upload.name}" ended while this call was under way.`,
        );
    }
  }
  const last = Math.min(firstPart + MAX_PART_URLS - 1, partCount);
  const urls = await parts.urls({ key, uploadId, first: firstPart, last, expires: until });
  return { partSize, partCount, firstPart, urls };
}
