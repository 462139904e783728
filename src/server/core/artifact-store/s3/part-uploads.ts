// Uploads in parts, for content that is too large for one PUT or one connection.
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
import type { ObjectLocation } from "./object-location.ts";
import type { Sign } from "./sign.ts";

/** Sufficient for 640 GB with the maximum number of parts. */
const PART_BYTES = 64 * 1024 ** 2;

/** Error codes for parts that do not match the ETags. */
const WRONG_PARTS: ReadonlySet<string | undefined> = new Set([
  "InvalidPart",
  "InvalidPartOrder",
  "EntityTooSmall",
]);

/** For requests that copy content before they reply, which may take minutes according to the S3 documentation. */
export const COPY_TIMEOUT_MS = 30 * 60_000;

export function createPartUploads(
  client: S3Client,
  sign: Sign,
  locate: (key: ContentKey) => ObjectLocation,
  partBytes = PART_BYTES,
): PartUploads {
  const target = (key: ContentKey): { Bucket: string; Key: string } => {
    const { bucket, key: name } = locate(key);
    return { Bucket: bucket, Key: name };
  };
  return {
    partBytes,

    async start(key, contentType) {
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ ...target(key), ContentType: contentType }),
      );
      if (UploadId === undefined)
        throw new Error(
          "S3 returned no id for an upload in parts: check that s3.endpoint is an S3-compatible store",
        );
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
          { requestTimeout: COPY_TIMEOUT_MS },
        );
      } catch (err) {
        if (s3Code(err) === "NoSuchUpload") return;
        if (!WRONG_PARTS.has(s3Code(err))) throw err;
        throw new ApiError(
          "RequestConflict",
          `The store cannot assemble ${describeKey(key)} from these parts: ${(err as Error).message} Upload missing or ` +
            `wrong parts again, and send the ETags of all parts in order.`,
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
