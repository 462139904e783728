// Uploads in parts: the way into S3 for what is too large for one PUT, or for one connection.
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { ApiError } from "../../../../lib/errors.ts";
import { describeKey, type ContentKey, type PartUploads } from "../index.ts";
import { s3Code } from "./client.ts";
import type { Place } from "./place.ts";
import type { Sign } from "./s3-store.ts";

/** What S3 says where the parts are not those that the uploader tells. */
const WRONG_PARTS: ReadonlySet<string | undefined> = new Set([
  "InvalidPart",
  "InvalidPartOrder",
  "EntityTooSmall",
]);

/** For what has to be copied before it is answered; S3 itself says that it may take minutes. */
export const COPYING_MS = 30 * 60_000;

export function createPartUploads(
  client: S3Client,
  sign: Sign,
  place: (key: ContentKey) => Place,
): PartUploads {
  const target = (key: ContentKey): { Bucket: string; Key: string } => {
    const { bucket, key: name } = place(key);
    return { Bucket: bucket, Key: name };
  };
  return {
    async begin(key, contentType) {
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ ...target(key), ContentType: contentType }),
      );
      if (UploadId === undefined) throw new Error("S3 began an upload in parts, but did not tell its id");
      return UploadId;
    },

    async urls({ key, uploadId, first, last, expires }) {
      const urls: string[] = [];
      for (let PartNumber = first; PartNumber <= last; PartNumber++)
        urls.push(
          await sign(new UploadPartCommand({ ...target(key), UploadId: uploadId, PartNumber }), expires),
        );
      return urls;
    },

    async complete(key, uploadId, etags) {
      const Parts = etags.map((ETag, i) => ({ ETag, PartNumber: i + 1 }));
      try {
        await client.send(
          new CompleteMultipartUploadCommand({
            ...target(key),
            UploadId: uploadId,
            MultipartUpload: { Parts },
          }),
          { requestTimeout: COPYING_MS },
        );
      } catch (err) {
        if (s3Code(err) === "NoSuchUpload") return;
        if (!WRONG_PARTS.has(s3Code(err))) throw err;
        throw new ApiError(
          "RequestConflict",
          `The store cannot make ${describeKey(key)} of these parts: ${(err as Error).message} Upload those that ` +
            `are missing or wrong, and give the ETag of each, in order.`,
          { cause: err },
        );
      }
    },

    async abort(key, uploadId) {
      try {
        await client.send(new AbortMultipartUploadCommand({ ...target(key), UploadId: uploadId }));
      } catch (err) {
        if (s3Code(err) !== "NoSuchUpload") throw err;
      }
    },
  };
}
