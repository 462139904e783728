// An artifact store in two buckets of S3 or a compatible server. Clients access the buckets directly.
import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { Clock } from "../../../../lib/clock.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { describeKey, type ArtifactStore, type StoreKey } from "../index.ts";
import { createClient, s3Code, type S3Connection } from "./client.ts";
import { createDelete } from "./delete-objects.ts";
import { COPY_TIMEOUT_MS, createPartUploads } from "./part-uploads.ts";
import { encodeKey, locateObject, type Buckets, type ObjectLocation } from "./object-location.ts";
import { createSign } from "./sign.ts";

/** The limit of S3. */
const MAX_PUT_BYTES = 5 * 1024 ** 3;

export interface S3StoreOptions extends S3Connection, Buckets {
  /** The endpoint for clients, if it differs from that of this server. */
  readonly publicEndpoint?: string | undefined;
  /** Whether URLs of the public bucket are signed like those of the private one. */
  readonly signPublicUrls: boolean;
  /** The URL of a CDN for the public bucket, without a trailing slash. */
  readonly cdnUrl?: string | undefined;
  /** The lifetime of a signed download URL in milliseconds. */
  readonly signedUrlExpires: number;
  /** The size of the parts of uploads in parts, at least 5 MiB. Default: 64 MiB. */
  readonly partBytes?: number | undefined;
  readonly clock: Clock;
}

export interface S3Store extends ArtifactStore {
  /** For the check of the buckets. */
  readonly client: S3Client;
  close(): void;
}

/** Creates the store without sending a request to S3. */
export async function createS3Store(options: S3StoreOptions): Promise<S3Store> {
  const { clock, publicEndpoint, publicBucket, cdnUrl, signPublicUrls, signedUrlExpires } = options;
  const client = createClient(options);
  const signer =
    publicEndpoint === undefined ? client : createClient({ ...options, endpoint: publicEndpoint });
  const locate = (key: StoreKey): ObjectLocation => locateObject(options, key);
  const sign = createSign(signer, clock);
  /**
   * The prefix of unsigned URLs of the public bucket, taken from a URL of the SDK, which handles hosts and path styles.
   */
  const sample = await sign(new GetObjectCommand({ Bucket: publicBucket, Key: "key" }), clock.now() + 60_000);
  const plainBase = sample.slice(0, sample.indexOf("/key?"));

  const requireStorable = (key: StoreKey, contentLength = 0): void => {
    locate(key);
    if (contentLength > MAX_PUT_BYTES)
      throw new ApiError(
        "InputError",
        `The ${describeKey(key)} has ${contentLength} bytes, but S3 accepts at most ${MAX_PUT_BYTES} in one PUT. ` +
          `Upload it in parts: propose multipartPutUrls.`,
      );
  };

  return {
    client,

    requireStorable,

    async uploadUrl({ key, contentType, contentLength, expires }) {
      requireStorable(key, contentLength);
      const { bucket, key: name } = locate(key);
      return sign(
        new PutObjectCommand({
          Bucket: bucket,
          Key: name,
          ContentType: contentType,
          ...(contentLength !== undefined && { ContentLength: contentLength }),
        }),
        expires,
      );
    },

    async downloadUrl({ key, skipCdn = false }) {
      const { bucket, key: name } = locate(key);
      if (bucket !== publicBucket || signPublicUrls)
        return sign(new GetObjectCommand({ Bucket: bucket, Key: name }), clock.now() + signedUrlExpires);
      return `${cdnUrl === undefined || skipCdn ? plainBase : cdnUrl}/${encodeKey(name)}`;
    },

    async put(key, contentType, bytes) {
      const { bucket, key: name } = locate(key);
      await client.send(
        new PutObjectCommand({ Bucket: bucket, Key: name, ContentType: contentType, Body: bytes }),
      );
    },

    async stat(key) {
      const { bucket, key: name } = locate(key);
      try {
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: name }));
        return {
          contentType: head.ContentType ?? "",
          contentEncoding: head.ContentEncoding,
          size: head.ContentLength ?? 0,
          sha256: undefined,
          etag: head.ETag ?? "",
          lastModified: head.LastModified ?? new Date(0),
        };
      } catch (err) {
        if (s3Code(err) === "NotFound" || s3Code(err) === "NoSuchKey") return undefined;
        throw err;
      }
    },

    async copyUpload(upload, content, etag) {
      const [from, to] = [locate(upload), locate(content)];
      try {
        await client.send(
          new CopyObjectCommand({
            Bucket: to.bucket,
            Key: to.key,
            CopySource: `${from.bucket}/${encodeKey(from.key)}`,
            CopySourceIfMatch: etag,
          }),
          { requestTimeout: COPY_TIMEOUT_MS },
        );
        return true;
      } catch (err) {
        if (["PreconditionFailed", "NoSuchKey", "NotFound"].includes(s3Code(err) ?? "")) return false;
        throw err;
      }
    },

    delete: createDelete(client, locate),
    htmlAsAttachment: options.endpoint === undefined,
    parts: createPartUploads(client, sign, locate, options.partBytes),

    close() {
      client.destroy();
      if (signer !== client) signer.destroy();
    },
  };
}
