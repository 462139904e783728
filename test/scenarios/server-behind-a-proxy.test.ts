// A server in a network that reaches its object store and Sentry only through a proxy.
import { expect, onTestFinished, test } from "vitest";
import { slugid } from "../../src/lib/slugid.ts";
import { testDatabase } from "../support/db.ts";
import { forwardProxy } from "../support/forward-proxy.ts";
import { startServe } from "../support/process.ts";
import { s3Error, startS3Server } from "../support/s3-server.ts";
import { s3Buckets, s3Key } from "../support/s3-settings.ts";
import { eventually } from "../support/until.ts";

const expires = new Date(Date.now() + 3_600_000).toISOString();

test("the server requests its object store, and reports incidents to Sentry, through the proxy", async () => {
  const database = await testDatabase();
  onTestFinished(database.drop);
  const s3 = await startS3Server();
  onTestFinished(s3.close);
  const proxy = await forwardProxy(s3.endpoint);
  onTestFinished(proxy.close);
  const { client } = await startServe(database.url, {
    HTTP_PROXY: proxy.url,
    TASKYARD_ARTIFACTS_STORE: "s3",
    TASKYARD_S3_ENDPOINT: "http://s3.invalid",
    TASKYARD_S3_FORCE_PATH_STYLE: "true",
    TASKYARD_S3_ACCESS_KEY_ID: s3Key.accessKeyId,
    TASKYARD_S3_SECRET_ACCESS_KEY: s3Key.secretAccessKey,
    TASKYARD_S3_PUBLIC_BUCKET: s3Buckets.publicBucket,
    TASKYARD_S3_PRIVATE_BUCKET: s3Buckets.privateBucket,
    TASKYARD_MONITOR_SENTRY_DSN: "http://publickey@sentry.invalid/42",
  });
  const upload = (name: string) =>
    client.object.createUpload(
      { name },
      {
        projectId: "none",
        uploadId: slugid(),
        expires,
        proposedUploadMethods: { dataInline: { contentType: "text/plain", objectData: "YWJj" } },
      },
    );

  await upload("data");
  expect(await s3.keys(s3Buckets.privateBucket)).toEqual([expect.stringContaining("data")]);
  expect(proxy.requests).toContain(`PUT http://s3.invalid/${s3Buckets.publicBucket}?cors=`);

  s3.intercept(({ method }) => (method === "PUT" ? s3Error(400, "Unexpected") : undefined));
  await expect(upload("refused")).rejects.toMatchObject({ statusCode: 500 });
  await eventually(() =>
    expect(proxy.requests).toContainEqual(
      expect.stringMatching(/^POST http:\/\/sentry\.invalid\/api\/42\/envelope\//),
    ),
  );
});
