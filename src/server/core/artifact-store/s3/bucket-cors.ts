// Sees to it, at start, that the buckets are there and that browsers may read from and write to them.
import { GetBucketCorsCommand, PutBucketCorsCommand, type CORSRule, type S3Client } from "@aws-sdk/client-s3";
import { ConfigError } from "../../config/problem.ts";
import { s3Code } from "./client.ts";

export interface BucketLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What pages of any origin need: the URLs are what protects the content, and they name no origin. */
const rule: CORSRule = {
  ID: "taskyard",
  AllowedOrigins: ["*"],
  AllowedMethods: ["GET", "HEAD", "PUT"],
  AllowedHeaders: ["*"],
  ExposeHeaders: ["ETag", "Content-Range", "Content-Encoding", "Accept-Ranges"],
  MaxAgeSeconds: 900,
};

/** What is wrong with the settings, and not with the store. */
const misconfigured: Readonly<Record<string, [key: string, problem: string]>> = {
  NoSuchBucket: ["Bucket", "does not exist: create it, or name another"],
  InvalidAccessKeyId: ["accessKeyId", "is not known to the store"],
  SignatureDoesNotMatch: ["secretAccessKey", "does not belong to s3.accessKeyId"],
};

/**
 * Adds a rule to each bucket whose rules do not let browsers in; rules of others stay. Throws `ConfigError` where a
 * bucket does not exist or the key is wrong. What the key may not do, or a store does not have, is logged with what
 * to do: artifacts still work for everything but browsers. So is a store that is away, for it may come back.
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
      if (letsBrowsersIn(rules)) continue;
      const CORSRules = [...rules.filter(({ ID }) => ID !== rule.ID), rule];
      await client.send(new PutBucketCorsCommand({ Bucket: bucket, CORSConfiguration: { CORSRules } }));
      log.info({ bucket }, "browsers may now read from and write to the bucket");
    } catch (err) {
      const code = s3Code(err);
      const wrong = misconfigured[code ?? ""];
      if (wrong) {
        const [key, problem] = wrong;
        const name = key === "Bucket" ? setting : key;
        // The access key is no secret, but nobody needs it in a log either.
        const value = key === "Bucket" ? { value: bucket } : {};
        throw new ConfigError([
          { key: `s3.${name}`, origin: `the store's answer for "${bucket}"`, ...value, problem },
        ]);
      }
      log.warn({ bucket, err }, `${failed(code)} ${remedy(bucket)}`);
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

/** Whether some rule lets pages of any origin GET and PUT with the headers that uploads have. */
export const letsBrowsersIn = (rules: readonly CORSRule[]): boolean =>
  ["GET", "PUT"].every((method) =>
    rules.some(
      ({ AllowedOrigins = [], AllowedMethods = [], AllowedHeaders = [] }) =>
        AllowedOrigins.includes("*") && AllowedMethods.includes(method) && AllowedHeaders.includes("*"),
    ),
  );

function failed(code: string | undefined): string {
  if (code === undefined)
    return "The store does not answer, so no artifact gets in or out, and the CORS rules of the bucket were not checked.";
  if (code === "AccessDenied")
    return "The CORS rules of the bucket could not be checked or set: the key may not.";
  if (code === "NotImplemented" || code === "MethodNotAllowed")
    return "The store has no CORS rules for buckets; some, such as MinIO, let browsers in by a setting of the server.";
  return "The CORS rules of the bucket could not be checked or set.";
}

const remedy = (bucket: string): string =>
  `Browsers can get and put artifacts there only with such rules. Allow the key s3:GetBucketCORS and ` +
  `s3:PutBucketCORS, or set them by hand: aws s3api put-bucket-cors --bucket ${bucket} --cors-configuration ` +
  `'${JSON.stringify({ CORSRules: [rule] })}'. With s3.manageCors: false this is not checked.`;
