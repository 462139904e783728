// The ways in which the bytes of an upload get into the store, and which of the proposed ones is taken.
import {
  MAX_INLINE_BYTES,
  MAX_PART_URLS,
  MAX_PARTS,
  type CreateUploadRequest,
  type UploadMethod,
} from "../../../api/object/schemas.ts";
import { ApiError } from "../../../lib/errors.ts";
import { slugid } from "../../../lib/slugid.ts";
import type { ContentKey, PartUploads } from "../../core/artifact-store/index.ts";
import type { ObjectContext } from "./context.ts";
import { readObject, writePartsId, type ObjectRow } from "./store.ts";

const URL_MS = 45 * 60_000;
/** A client starts its upload within the time it was told; the way to the store may take a little longer. */
const URL_GRACE_MS = 10_000;
/** Large enough for 640 GB in as many parts as there may be; beyond, parts grow. */
const PART_BYTES = 64 * 1024 ** 2;
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
interface BegunParts {
  readonly key: ContentKey;
  readonly uploadId: string;
}
export type Choice =
  | { readonly method: "dataInline"; readonly contentType: string; readonly bytes: Buffer }
  | { readonly method: "putUrl"; readonly of: Content }
  | { readonly method: "multipartPutUrls"; readonly of: Parts }
  | { readonly method: "none" };

/** The method that is taken. Throws `InputError` for what is wrong with any of them, while nothing is written yet. */
export function chosenMethod(
  { artifacts }: Pick<ObjectContext, "artifacts">,
  { name, uploadId }: { readonly name: string; readonly uploadId: string },
  proposed: Proposed,
): Choice {
  checkProposal(proposed);
  const { dataInline, putUrl, multipartPutUrls } = proposed;
  if (dataInline) {
    const bytes = decoded(dataInline.objectData);
    return { method: "dataInline", contentType: dataInline.contentType, bytes };
  }
  if (multipartPutUrls && artifacts.parts && (!putUrl || multipartPutUrls.contentLength > PART_BYTES))
    return { method: "multipartPutUrls", of: partsOf(multipartPutUrls) };
  if (!putUrl) return { method: "none" };
  artifacts.requireStorable({ object: name, uploadId }, putUrl.contentLength);
  return { method: "putUrl", of: putUrl };
}

/** Does what the choice says, for an upload that is reserved. */
export async function beginUpload(
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
    return { multipartPutUrls: { ...(await partUrls(ctx, upload, choice.of, until)), expires } };
  const { contentType, contentLength } = choice.of;
  const url = await ctx.artifacts.uploadUrl({
    key,
    contentType,
    contentLength,
    expires: until + URL_GRACE_MS,
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

function partsOf(proposed: NonNullable<Proposed["multipartPutUrls"]>): Parts {
  const { contentLength, firstPart } = proposed;
  const partSize = Math.max(PART_BYTES, Math.ceil(contentLength / MAX_PARTS));
  // Nothing at all is a part as well.
  const partCount = Math.max(1, Math.ceil(contentLength / partSize));
  if (firstPart > partCount)
    throw new ApiError(
      "InputError",
      `proposedUploadMethods.multipartPutUrls.firstPart is ${firstPart}, but ${contentLength} bytes are ${partCount} parts.`,
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
  if (!parts) throw new Error("the store has no uploads in parts");
  const begun = begunParts(upload) ?? (await beginParts(ctx, parts, upload, contentType));
  const last = Math.min(firstPart + MAX_PART_URLS - 1, partCount);
  const urls = await parts.urls({ ...begun, first: firstPart, last, expires: until });
  return { partSize, partCount, firstPart, urls };
}

/** What the store knows the parts of an upload by, where it has begun in parts. */
export function begunParts(upload: ObjectRow | undefined): BegunParts | undefined {
  if (!upload || upload.parts_id === null || upload.content_id === null) return undefined;
  return { key: { object: upload.name, contentId: upload.content_id }, uploadId: upload.parts_id };
}

async function beginParts(
  { db }: ObjectContext,
  parts: PartUploads,
  upload: ObjectRow,
  contentType: string,
): Promise<BegunParts> {
  const key = { object: upload.name, contentId: slugid() };
  const uploadId = await parts.start(key, contentType);
  if ((await writePartsId(db, upload, uploadId, key.contentId)) > 0) return { key, uploadId };
  // Another call of the same upload was first; the parts of both go to one.
  await parts.abort(key, uploadId);
  const other = begunParts(await readObject(db, upload.name));
  if (other) return other;
  throw new ApiError(
    "RequestConflict",
    `The upload of object "${upload.name}" ended while this call was under way.`,
  );
}
