// Checks at startup that the buckets exist and that browsers may read from and write to them.
import { GetBucketCorsCommand, PutBucketCorsCommand, type CORSRule, type S3Client } from "@aws-sdk/client-s3";
import { ConfigError } from "../../config/problem.ts";
import { s3Code } from "./client.ts";

export interface BucketLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Allows pages of any origin: signed URLs protect the content, independent of the origin. */
const rule: CORSRule = {
  ID: "taskyard",
  AllowedOrigins: ["*"],
  AllowedMethods: ["GET", "HEAD", "PUT"],
  AllowedHeaders: ["*"],
  ExposeHeaders: ["ETag", "Content-Range", "Content-Encoding", "Accept-Ranges"],
  MaxAgeSeconds: 900,
};

/** Error codes that are caused by wrong settings. */
const misconfigured: Readonly<Record<string, [key: string, problem: string]>> = {
  NoSuchBucket: ["Bucket", "does not exist: create it, or set another name"],
  InvalidAccessKeyId: ["accessKeyId", "is unknown to the store"],
  SignatureDoesNotMatch: ["secretAccessKey", "does not belong to s3.accessKeyId"],
};

/**
 * Adds a rule to each bucket whose rules do not allow browsers, and keeps existing rules. Throws `ConfigError` if a
 * bucket does not exist or the key is wrong. Logs a missing permission or an unsupported operation with a remedy:
 * artifacts still work for all clients except browsers. Also logs an unavailable store, which may become available
 * later.
 */
export async function prepareBuckets(
  client: S3Client,
  buckets: { readonly publicBucket: string; readonly privateBucket: string },
  log: BucketLog,
): Promise<void> {
  for (const setting of ["publicBucket", "privateBucket"] as const) {
    const bucket = buckets[setting];
    try {
      const rules = await rulesOf(client, bucket);
      if (allowsBrowsers(rules)) continue;
      const CORSRules = [...rules.filter(({ ID }) => ID !== rule.ID), rule];
      await client.send(new PutBucketCorsCommand({ Bucket: bucket, CORSConfiguration: { CORSRules } }));
      log.info({ bucket }, "browsers may now read from and write to the bucket");
    } catch (err) {
      const code = s3Code(err);
      const wrong = misconfigured[code ?? ""];
      if (wrong) {
        const [key, problem] = wrong;
        const name = key === "Bucket" ? setting : key;
        // The access key is not secret, but it does not belong in a log either.
        const value = key === "Bucket" ? { value: bucket } : {};
        throw new ConfigError([
          { key: `s3.${name}`, origin: `the store's reply for "${bucket}"`, ...value, problem },
        ]);
      }
      log.warn({ bucket, err }, `${describeFailure(code)} ${remedy(bucket)}`);
    }
  }
}

async function rulesOf(client: S3Client, bucket: string): Promise<readonly CORSRule[]> {
  try {
    return (await client.send(new GetBucketCorsCommand({ Bucket: bucket }))).CORSRules ?? [];
  } catch (err) {
    if (s3Code(err) === "NoSuchCORSConfiguration") return [];
    throw err;
  }
}

/** Reports whether the rules allow pages of any origin to GET and PUT with the headers of uploads. */
export const allowsBrowsers = (rules: readonly CORSRule[]): boolean =>
  ["GET", "PUT"].every((method) =>
    rules.some(
      ({ AllowedOrigins = [], AllowedMethods = [], AllowedHeaders = [] }) =>
        AllowedOrigins.includes("*") && AllowedMethods.includes(method) && AllowedHeaders.includes("*"),
    ),
  );

function describeFailure(code: string | undefined): string {
  if (code === undefined)
    return "The store does not respond, so artifacts are unavailable, and the CORS rules of the bucket were not checked.";
  if (code === "AccessDenied")
    return "The CORS rules of the bucket could not be checked or set: the key does not have the permission.";
  if (code === "NotImplemented" || code === "MethodNotAllowed")
    return "The store does not support CORS rules of buckets; some, such as MinIO, have a server setting instead.";
  return "The CORS rules of the bucket could not be checked or set.";
}

const remedy = (bucket: string): string =>
  `Browsers can download and upload artifacts only with such rules. Grant the key s3:GetBucketCORS and ` +
  `s3:PutBucketCORS, or set the rules manually: aws s3api put-bucket-cors --bucket ${bucket} --cors-configuration ` +
  `'${JSON.stringify({ CORSRules: [rule] })}'. Set s3.manageCors to false to disable this check.`;
