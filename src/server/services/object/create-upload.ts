// createUpload: reserves a name and returns the upload method.
import type { BodyOf, ReplyOf } from "../../../api/endpoint.ts";
import { objectApi } from "../../../api/object/index.ts";
import { ApiError } from "../../../lib/errors.ts";
import type { Caller } from "../../core/caller.ts";
import type { Queryable } from "../../core/db.ts";
import type { ObjectContext } from "./context.ts";
import { checkHashes, EARLIER, hashesOf, requireAgreement, type KnownHashes } from "./hashes.ts";
import { readObject, writeUpload, type ObjectRow } from "./store.ts";
import { chooseMethod, startUpload, type Choice } from "./upload-methods.ts";

/** Longer than names in S3 and than the names of artifacts' objects. */
const MAX_NAME_LENGTH = 1200;
const UPLOAD_MS = 24 * 3_600_000;

export interface Reservation {
  readonly name: string;
  readonly projectId: string;
  readonly uploadId: string;
  readonly expires: string;
}

const { createUpload: endpoint } = objectApi.endpoints;

/** `rootUrl` is the URL at which the caller reaches this server: part of the URL of an upload to it. */
export const createUpload =
  (ctx: ObjectContext) =>
  async (
    caller: Caller,
    name: string,
    request: BodyOf<typeof endpoint>,
    rootUrl: () => string,
  ): Promise<ReplyOf<typeof endpoint>> => {
    const { projectId, uploadId } = request;
    caller.authorize(endpoint, { projectId, name });
    const expires = new Date(request.expires).toISOString();
    const choice = chooseMethod(ctx, { name, uploadId }, request.proposedUploadMethods);
    const given = checkHashes(request.hashes);
    const computed = choice.method === "dataInline" ? hashesOf(choice.bytes) : {};
    requireAgreement(name, given, computed, "the content of dataInline");
    const upload = await reserve(
      ctx,
      ctx.db,
      { name, projectId, uploadId, expires },
      { hashes: { ...given, ...computed }, contentLength: lengthOf(choice) },
    );
    return { projectId, uploadId, expires, uploadMethod: await startUpload(ctx, upload, choice, rootUrl) };
  };

function lengthOf(choice: Choice): number | null {
  if (choice.method === "none") return null;
  return choice.method === "dataInline" ? choice.bytes.length : choice.content.contentLength;
}

/** Reserves a name for an upload. Throws `RequestConflict` if the name is taken. */
export async function reserve(
  ctx: Pick<ObjectContext, "clock" | "artifacts">,
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
      `The object's name has ${name.length} characters; the limit is ${MAX_NAME_LENGTH}.`,
    );
  ctx.artifacts.requireStorable({ object: name, uploadId: reservation.uploadId });
  const uploadExpires = new Date(ctx.clock.now() + UPLOAD_MS).toISOString();
  const upload = await writeUpload(db, { ...reservation, uploadExpires, ...content });
  if (upload) return upload;
  const existing = await readObject(db, name);
  if (existing && existing.upload_expires !== null && existing.upload_id === reservation.uploadId)
    requireAgreement(name, content.hashes, existing.hashes, EARLIER);
  // oxlint-disable-next-line messages/next-step -- describeConflict names it
  throw new ApiError("RequestConflict", describeConflict(reservation, existing));
}

function describeConflict(requested: Reservation, existing: ObjectRow | undefined): string {
  const { name } = requested;
  if (!existing) return `Object "${name}" was removed during this call: repeat it.`;
  if (existing.upload_expires === null)
    return `Object "${name}" already exists and cannot be uploaded again: choose another name.`;
  const differing = [
    existing.upload_id !== requested.uploadId && "uploadId",
    existing.project_id !== requested.projectId && "projectId",
    existing.expires.toISOString() !== requested.expires && "expires",
  ].filter(Boolean);
  return (
    `An upload for object "${name}" already exists with another ${differing.join(" and ")}: repeat the call with the ` +
    `same data, or choose another name.`
  );
}
