import { GetBucketCorsCommand, PutBucketCorsCommand, type CORSRule } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testMonitor } from "../../../../../test/support/monitor.ts";
import { s3Error, startS3Server, type S3Server } from "../../../../../test/support/s3-server.ts";
import { s3Buckets, s3Key } from "../../../../../test/support/s3-settings.ts";
import { allowsBrowsers, prepareBuckets } from "./bucket-cors.ts";
import { createClient } from "./client.ts";

let s3: S3Server;
let client: ReturnType<typeof createClient>;
const { monitor, records } = testMonitor();
const open = (key: { accessKeyId: string; secretAccessKey: string }) =>
  createClient({ endpoint: s3.endpoint, region: "us-east-1", forcePathStyle: true, ...key });
beforeEach(async () => {
  s3 = await startS3Server();
  client = open(s3Key);
  records.length = 0;
});
afterEach(async () => {
  client.destroy();
  await s3.close();
});

const prepare = (buckets: Record<keyof typeof s3Buckets, string> = s3Buckets, by = client) =>
  prepareBuckets(by, buckets, monitor.log);
const rulesOf = async (Bucket: string) =>
  (await client.send(new GetBucketCorsCommand({ Bucket }))).CORSRules ?? [];
const puts = () => s3.requests().filter((request) => request.startsWith("PUT "));

/** Sends the preflight request of a browser. */
const preflight = async (method: string, headers: string) => {
  const reply = await fetch(`${s3.endpoint}/private-artifacts/key`, {
    method: "OPTIONS",
    headers: {
      origin: "https://ci.example.com",
      "access-control-request-method": method,
      "access-control-request-headers": headers,
    },
  });
  return [reply.status, reply.headers.get("access-control-allow-origin")];
};

describe("at startup, the buckets", () => {
  it("are opened to browsers, once", async () => {
    expect(await preflight("PUT", "content-type")).toEqual([403, null]);
    await prepare();
    expect(await preflight("PUT", "content-type,content-encoding")).toEqual([200, "*"]);
    expect(await preflight("GET", "range")).toEqual([200, "*"]);
    expect(await preflight("DELETE", "content-type")).toEqual([403, null]);
    expect(puts()).toHaveLength(2);
    await prepare();
    expect(puts()).toEqual([]);
    expect(records.map(({ msg, bucket }) => [bucket, msg])).toEqual([
      ["public-artifacts", "browsers may now read from and write to the bucket"],
      ["private-artifacts", "browsers may now read from and write to the bucket"],
    ]);
  });

  it("keep their other rules, and are not changed if those suffice", async () => {
    const others: CORSRule = { AllowedOrigins: ["https://other.example.com"], AllowedMethods: ["DELETE"] };
    const enough: CORSRule[] = [
      { AllowedOrigins: ["*"], AllowedMethods: ["GET"], AllowedHeaders: ["*"] },
      { AllowedOrigins: ["*"], AllowedMethods: ["PUT"], AllowedHeaders: ["*"] },
    ];
    const set = (Bucket: string, CORSRules: CORSRule[]) =>
      client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
    await set("public-artifacts", [others]);
    await set("private-artifacts", enough);
    await prepare();
    expect(await rulesOf("public-artifacts")).toMatchObject([others, { ID: "taskyard" }]);
    expect(await rulesOf("private-artifacts")).toMatchObject(enough);
  });

  it("must exist, and the key must be valid", async () => {
    await expect(prepare({ ...s3Buckets, privateBucket: "nowhere" })).rejects.toThrow(
      's3.privateBucket = nowhere  (the store\'s reply for "nowhere")\n    does not exist: create it, or set another name',
    );
    await expect(prepare(s3Buckets, open({ ...s3Key, accessKeyId: "OTHER" }))).rejects.toThrow(
      /s3\.accessKeyId .*\n {4}is unknown to the store/,
    );
    const wrong = prepare(s3Buckets, open({ ...s3Key, secretAccessKey: "a wrong secret" }));
    await expect(wrong).rejects.toThrow(/s3\.secretAccessKey .*\n {4}does not belong to s3\.accessKeyId/);
    await expect(wrong).rejects.not.toThrow("a wrong secret");
  });

  it.each([
    [
      "the key has no permission",
      403,
      "AccessDenied",
      "could not be checked or set: the key does not have the permission. ",
    ],
    [
      "the store has no such rules",
      501,
      "NotImplemented",
      "The store does not support CORS rules of buckets; ",
    ],
    ["another error occurs", 400, "Whatever", "could not be checked or set. "],
  ])("are used unchanged if %s, and the log has a remedy", async (_, status, code, message) => {
    s3.intercept(({ url }) => (url.searchParams.has("cors") ? s3Error(status, code) : undefined));
    await prepare();
    expect(records).toHaveLength(2);
    expect(records[0]?.["msg"]).toContain(message);
    expect(records[0]?.["msg"]).toMatch(
      /Grant the key s3:GetBucketCORS and s3:PutBucketCORS, or set the rules manually: aws s3api put-bucket-cors --bucket public-artifacts --cors-configuration '\{"CORSRules":\[\{"ID":"taskyard".*\}\]\}'/,
    );
  });
});

it("an unavailable store is logged, and does not prevent the server from starting", async () => {
  const unavailable = createClient({
    endpoint: "http://127.0.0.1:1",
    region: "us-east-1",
    forcePathStyle: true,
    ...s3Key,
  });
  await prepare(s3Buckets, unavailable);
  unavailable.destroy();
  expect(records.map(({ bucket }) => bucket)).toEqual(["public-artifacts", "private-artifacts"]);
  expect(records[0]?.["msg"]).toContain(
    "The store does not respond, so artifacts are unavailable, and the CORS",
  );
});

it("a bucket allows browsers only if any origin may GET and PUT with any header", () => {
  const all = { AllowedOrigins: ["*"], AllowedMethods: ["GET", "PUT"], AllowedHeaders: ["*"] };
  expect(allowsBrowsers([all])).toBe(true);
  expect(allowsBrowsers([])).toBe(false);
  expect(allowsBrowsers([{ ...all, AllowedOrigins: ["https://a.example.com"] }])).toBe(false);
  expect(allowsBrowsers([{ ...all, AllowedMethods: ["GET"] }])).toBe(false);
  expect(allowsBrowsers([{ ...all, AllowedHeaders: ["range"] }])).toBe(false);
});
