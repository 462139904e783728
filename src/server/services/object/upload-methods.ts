// Chooses one of the proposed upload methods and starts the upload.
import {
  MAX_INLINE_BYTES,
  MAX_PART_URLS,
  MAX_PARTS,
  type CreateUploadRequest,
  type UploadMethod,
} from "../../../api/object/schemas.ts";
import { ApiError } from "../../../lib/errors.ts";
import { slugid } from "../../../lib/slugid.ts";
import { UPLOAD_URL_GRACE_MS, type ContentKey, type PartUploads } from "../../core/artifact-store/index.ts";
import type { ObjectContext } from "./context.ts";
import { readObject, writePartsId, type ObjectRow } from "./store.ts";
import { InternalError } from "../../../lib/internal-error.ts";

const URL_MS = 45 * 60_000;
const MAX_PART_BYTES = 5 * 1024 ** 3;

type Proposed = CreateUploadRequest["proposedUploadMethods"];

interface Content {
  readonly contentType: string;
  readonly contentLength: number;
}
interface Parts extends Content {
  readonly firstPart: number;
  readonly partSize: number;
  readonly partCount: number;
}
interface StartedParts {
  readonly key: ContentKey;
  readonly uploadId: string;
}
export type Choice =
  | { readonly method: "dataInline"; readonly contentType: string; readonly bytes: Buffer }
  | { readonly method: "putUrl"; readonly content: Content }
  | { readonly method: "multipartPutUrls"; readonly content: Parts }
  | { readonly method: "none" };

/** Chooses a method. Throws `InputError` if any proposed method is invalid, before anything is written. */
export function chooseMethod(
  { artifacts }: Pick<ObjectContext, "artifacts">,
  { name, uploadId }: { readonly name: string; readonly uploadId: string },
  proposed: Proposed,
): Choice {
  checkProposal(proposed);
  const { dataInline, putUrl, multipartPutUrls } = proposed;
  if (dataInline) {
    const bytes = decodeBase64(dataInline.objectData);
    return { method: "dataInline", contentType: dataInline.contentType, bytes };
  }
  const { parts } = artifacts;
  if (multipartPutUrls && parts && (!putUrl || multipartPutUrls.contentLength > parts.partBytes))
    return { method: "multipartPutUrls", content: planParts(multipartPutUrls, parts.partBytes) };
  if (!putUrl) return { method: "none" };
  artifacts.requireStorable({ object: name, uploadId }, putUrl.contentLength);
  return { method: "putUrl", content: putUrl };
}

/** Starts a reserved upload with the chosen method. */
export async function startUpload(
  ctx: ObjectContext,
  upload: ObjectRow,
  choice: Choice,
  rootUrl: () => string,
): Promise<UploadMethod> {
  if (choice.method === "none") return {};
  const key = { object: upload.name, uploadId: upload.upload_id };
  if (choice.method === "dataInline") {
    await ctx.artifacts.put(key, choice.contentType, choice.bytes);
    return { dataInline: true };
  }
  const until = ctx.clock.now() + URL_MS;
  const expires = new Date(until).toISOString();
  if (choice.method === "multipartPutUrls")
    return { multipartPutUrls: { ...(await partUrls(ctx, upload, choice.content, until)), expires } };
  const { contentType, contentLength } = choice.content;
  const url = await ctx.artifacts.uploadUrl({
    key,
    contentType,
    contentLength,
    expires: until + UPLOAD_URL_GRACE_MS,
    rootUrl: rootUrl(),
  });
  const headers = {
    "Content-Type": contentType,
    "Content-Length": String(contentLength),
    "Content-Encoding": "identity",
    // An uploaded page must not run in the store's origin, which it shares with content of others.
    ...(ctx.artifacts.htmlAsAttachment &&
      /^text\/html\b/i.test(contentType) && { "Content-Disposition": "attachment" }),
  };
  return { putUrl: { url, expires, headers } };
}

function decodeBase64(base64: string): Buffer {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0)
    throw new ApiError(
      "InputError",
      "proposedUploadMethods.dataInline.objectData must be base64, and is not.",
    );
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length > MAX_INLINE_BYTES)
    throw new ApiError(
      "InputError",
      `proposedUploadMethods.dataInline.objectData has ${bytes.length} bytes; the limit is ${MAX_INLINE_BYTES}. ` +
        `Use putUrl for larger content.`,
    );
  return bytes;
}

/** Checks rules that the schema cannot express. */
function checkProposal(proposed: Proposed): void {
  for (const [method, content] of Object.entries(proposed)) {
    if (!/^[\x20-\x7e]*$/.test(content.contentType))
      throw new ApiError(
        "InputError",
        `proposedUploadMethods.${method}.contentType ${JSON.stringify(content.contentType)} has characters that are ` +
          `not allowed in a Content-Type header. It must be one such as text/plain; charset=utf-8.`,
      );
    if (
      "contentLength" in content &&
      (content.contentLength < 0 || content.contentLength > MAX_PARTS * MAX_PART_BYTES)
    )
      throw new ApiError(
        "InputError",
        `proposedUploadMethods.${method}.contentLength is ${content.contentLength}; it must be between 0 and ` +
          `${MAX_PARTS * MAX_PART_BYTES}.`,
      );
  }
}

function planParts(proposed: NonNullable<Proposed["multipartPutUrls"]>, partBytes: number): Parts {
  const { contentLength, firstPart } = proposed;
  const partSize = Math.max(partBytes, Math.ceil(contentLength / MAX_PARTS));
  // Empty content has one part.
  const partCount = Math.max(1, Math.ceil(contentLength / partSize));
  if (firstPart > partCount)
    throw new ApiError(
      "InputError",
      `proposedUploadMethods.multipartPutUrls.firstPart is ${firstPart}, but the number of parts for ${contentLength} ` +
        `bytes is ${partCount}: request a part from 1 to that.`,
    );
  return { ...proposed, partSize, partCount };
}

async function partUrls(
  ctx: ObjectContext,
  upload: ObjectRow,
  { contentType, firstPart, partSize, partCount }: Parts,
  until: number,
): Promise<{ partSize: number; partCount: number; firstPart: number; urls: string[] }> {
  const { parts } = ctx.artifacts;
  if (!parts) throw new InternalError("the store does not support uploads in parts");
  const started = startedParts(upload) ?? (await startParts(ctx, parts, upload, contentType));
  const last = Math.min(firstPart + MAX_PART_URLS - 1, partCount);
  const urls = await parts.urls({ ...started, first: firstPart, last, expires: until });
  return { partSize, partCount, firstPart, urls };
}

/** Returns the key and id of an upload in parts, if one was started. */
export function startedParts(upload: ObjectRow | undefined): StartedParts | undefined {
  if (!upload || upload.parts_id === null || upload.content_id === null) return undefined;
  return { key: { object: upload.name, contentId: upload.content_id }, uploadId: upload.parts_id };
}

async function startParts(
  { db }: ObjectContext,
  parts: PartUploads,
  upload: ObjectRow,
  contentType: string,
): Promise<StartedParts> {
  const key = { object: upload.name, contentId: slugid() };
  const uploadId = await parts.start(key, contentType);
  if ((await writePartsId(db, upload, uploadId, key.contentId)) > 0) return { key, uploadId };
  // Another call for the same upload was first. Both share its parts.
  await parts.abort(key, uploadId);
  const other = startedParts(await readObject(db, upload.name));
  if (other) return other;
  throw new ApiError(
    "RequestConflict",
    `The upload of object "${upload.name}" ended during this call. Call createUpload again.`,
  );
}
