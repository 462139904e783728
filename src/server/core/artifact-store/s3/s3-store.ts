// An artifact store in two buckets of S3, or of what speaks its protocol. Clients reach the buckets themselves.
import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Clock } from "../../../../lib/clock.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { describeKey, type ArtifactStore, type StoreKey } from "../index.ts";
import { createClient, s3Code, type S3Connection } from "./client.ts";
import { createDelete } from "./delete-objects.ts";
import { COPYING_MS, createPartUploads } from "./part-uploads.ts";
import { encodeKey, placeOf, type Buckets, type Place } from "./place.ts";

/** S3 takes no more in one PUT. */
const MAX_PUT_BYTES = 5 * 1024 ** 3;

export interface S3StoreOptions extends S3Connection, Buckets {
  /** Where clients reach the store, if that is not where this server does. */
  readonly publicEndpoint?: string | undefined;
  /** Whether URLs of the public bucket are signed like those of the other. */
  readonly signPublicUrls: boolean;
  /** What serves the public bucket's content, without a trailing slash. */
  readonly cdnUrl?: string | undefined;
  /** How long a signed download URL is good, in milliseconds. */
  readonly signedUrlExpires: number;
  readonly clock: Clock;
}

export interface S3Store extends ArtifactStore {
  /** For what looks after the buckets. */
  readonly client: S3Client;
  close(): void;
}

/** Signs the URL of one command, good until `expires`, in milliseconds since the epoch. */
export type Sign = <I extends ServiceInputTypes, O extends ServiceOutputTypes>(
  command: Parameters<typeof getSignedUrl<ServiceInputTypes, I, O>>[1],
  expires: number,
) => Promise<string>;

/** Nothing is asked of S3 yet. */
export async function createS3Store(options: S3StoreOptions): Promise<S3Store> {
  const { clock, publicEndpoint, publicBucket, cdnUrl, signPublicUrls, signedUrlExpires } = options;
  const client = createClient(options);
  const signer =
    publicEndpoint === undefined ? client : createClient({ ...options, endpoint: publicEndpoint });
  const place = (key: StoreKey): Place => placeOf(options, key);
  const sign: Sign = (command, expires) =>
    getSignedUrl(signer, command, {
      signingDate: new Date(clock.now()),
      // S3 takes no more than seven days.
      expiresIn: Math.min(Math.ceil((expires - clock.now()) / 1000), 7 * 86_400),
      // Else the type would be left out, and whoever has the URL could upload anything as anything. Parts have none.
      signableHeaders: new Set([
        "host",
        ...(command instanceof PutObjectCommand ? ["content-type", "content-length"] : []),
      ]),
    });
  /** Where plain URLs of the public bucket begin, from one that the SDK made: it knows hosts and path styles. */
  const sample = await sign(new GetObjectCommand({ Bucket: publicBucket, Key: "key" }), clock.now() + 60_000);
  const plainBase = sample.slice(0, sample.indexOf("/key?"));

  const requireFit = (key: StoreKey, contentLength = 0): void => {
    place(key);
    if (contentLength > MAX_PUT_BYTES)
      throw new ApiError(
        "InputError",
        `The ${describeKey(key)} has ${contentLength} bytes, but S3 takes ${MAX_PUT_BYTES} in one PUT. ` +
          `Upload it in parts: propose multipartPutUrls.`,
      );
  };

  return {
    client,

    requireFit,

    async uploadUrl({ key, contentType, contentLength, expires }) {
      requireFit(key, contentLength);
      const { bucket, key: name } = place(key);
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
      const { bucket, key: name } = place(key);
      if (bucket !== publicBucket || signPublicUrls)
        return sign(new GetObjectCommand({ Bucket: bucket, Key: name }), clock.now() + signedUrlExpires);
      return `${cdnUrl === undefined || skipCdn ? plainBase : cdnUrl}/${encodeKey(name)}`;
    },

    async put(key, contentType, bytes) {
      const { bucket, key: name } = place(key);
      await client.send(
        new PutObjectCommand({ Bucket: bucket, Key: name, ContentType: contentType, Body: bytes }),
      );
    },

    async stat(key) {
      const { bucket, key: name } = place(key);
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

    async keep(upload, content, etag) {
      const [from, to] = [place(upload), place(content)];
      try {
        await client.send(
          new CopyObjectCommand({
            Bucket: to.bucket,
            Key: to.key,
            CopySource: `${from.bucket}/${encodeKey(from.key)}`,
            CopySourceIfMatch: etag,
          }),
          { requestTimeout: COPYING_MS },
        );
        return true;
      } catch (err) {
        if (["PreconditionFailed", "NoSuchKey", "NotFound"].includes(s3Code(err) ?? "")) return false;
        throw err;
      }
    },

    delete: createDelete(client, place),
    htmlAsAttachment: options.endpoint === undefined,
    parts: createPartUploads(client, sign, place),

    close() {
      client.destroy();
      if (signer !== client) signer.destroy();
    },
  };
}
