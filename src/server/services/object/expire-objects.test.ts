import Type from "typebox";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { s3Error, startS3Server, type S3Server } from "../../../../test/support/s3-server.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import type { CreateUploadRequest } from "../../../api/object/schemas.ts";
import { slugid } from "../../../lib/slugid.ts";
import { sql } from "../../core/sql.ts";

const projectId = "none";
const expires = new Date(Date.now() + 3_600_000).toISOString();
const bucket = "private-artifacts";

let s3: S3Server;
let stack: Stack;
let object: Stack["client"]["object"];
beforeAll(async () => {
  s3 = await startS3Server();
  // The loop runs only when a test triggers it.
  stack = await testStack({ manualLoops: true, s3 });
  ({ object } = stack.client);
});
afterAll(async () => {
  await stack.stop();
  await s3.close();
});
beforeEach(() => s3.intercept(undefined));

async function create(
  name: string,
  proposedUploadMethods: CreateUploadRequest["proposedUploadMethods"] = {
    dataInline: { contentType: "text/plain", objectData: "YWJj" },
  },
) {
  const uploadId = slugid();
  const reply = await object.createUpload({ name }, { projectId, uploadId, expires, proposedUploadMethods });
  return { ...reply.uploadMethod, finish: () => object.finishUpload({ name }, { projectId, uploadId }) };
}
const expire = (name: string, column: "expires" | "upload_expires") =>
  stack.database.db.run(
    column === "expires"
      ? sql`update objects set expires = now() - interval '1 second' where name = ${name}`
      : sql`update objects set upload_expires = now() - interval '1 second' where name = ${name}`,
  );
const runOnce = () => stack.runLoop("object-expiry");
const rows = async () =>
  (
    await stack.database.db.many(
      Type.Object({ name: Type.String() }),
      sql`select name from objects order by name`,
    )
  ).map(({ name }) => name);

describe("expired objects and abandoned uploads", () => {
  it("are removed with their content, and nothing else is", async () => {
    for (const name of ["expired", "kept"]) await (await create(name)).finish();
    for (const name of ["abandoned", "in-progress"]) await create(name);
    await expire("expired", "expires");
    await expire("abandoned", "upload_expires");
    await runOnce();
    expect(await rows()).toEqual(["in-progress", "kept"]);
    expect(await s3.keys(bucket)).toEqual([
      expect.stringMatching(/^objects\/[\w-]{22}\/kept$/),
      expect.stringMatching(/^uploads\/[\w-]{22}\/in-progress$/),
    ]);
    await expect(object.object({ name: "expired" })).rejects.toMatchObject({ code: "ResourceNotFound" });
    // Their names can be used again.
    await (await create("abandoned")).finish();
    expect(await object.object({ name: "abandoned" })).toMatchObject({ projectId });
  });

  it("stay while the store cannot delete them, without delaying others", async () => {
    for (const name of ["stuck", "free"]) {
      await (await create(name)).finish();
      await expire(name, "expires");
    }
    const key = (await s3.keys(bucket)).find((found) => found.endsWith("/stuck")) ?? "";
    s3.intercept(({ method }) =>
      method === "POST"
        ? {
            status: 200,
            body: `<DeleteResult><Error><Key>${key}</Key><Code>InternalError</Code></Error></DeleteResult>`,
          }
        : undefined,
    );
    await runOnce();
    expect(await rows()).toContain("stuck");
    expect(await rows()).not.toContain("free");
    expect(stack.records.at(-1)).toMatchObject({ object: "stuck", prefix: "object" });
    s3.intercept(() => s3Error(503, "SlowDown"));
    await runOnce();
    expect(await rows()).toContain("stuck");
    s3.intercept(undefined);
    await runOnce();
    expect(await rows()).not.toContain("stuck");
    expect(await s3.keys(bucket)).not.toContain(key);
  });

  it("are all processed, even if the store cannot delete a whole batch of those that expired first", async () => {
    await stack.database.db.run(sql`
      insert into objects (name, project_id, upload_id, expires, hashes, content_ids)
      select 'stuck ' || n, 'none', 'id', now() - interval '1 day', '{}', array['id'] from generate_series(1, 200) n`);
    await (await create("behind")).finish();
    await expire("behind", "expires");
    s3.intercept(() => s3Error(503, "SlowDown"));
    const before = stack.records.length;
    await runOnce();
    // One report for hundreds of keys that one call did not delete.
    expect(stack.records.slice(before)).toMatchObject([{ object: "stuck 1", notDeleted: 400 }]);
    s3.intercept(undefined);
    await runOnce();
    expect(await rows()).not.toContain("behind");
    expect(await rows()).toContain("stuck 1");
    await runOnce();
    expect(await rows()).not.toContain("stuck 1");
  });

  it("are removed with content that was uploaded after they were finished", async () => {
    const putUrl = { contentType: "a/b", contentLength: 3 };
    const { finish, putUrl: given } = await create("twice", { putUrl });
    const { url = "", headers = {} } = given ?? {};
    const put = () => fetch(url, { method: "PUT", headers, body: "abc" });
    const keys = async () => (await s3.keys(bucket)).filter((key) => key.endsWith("/twice"));
    await put();
    await finish();
    expect(await keys()).toEqual([expect.stringMatching(/^objects\//)]);
    await put();
    expect(await keys()).toHaveLength(2);
    await expire("twice", "expires");
    await runOnce();
    expect(await keys()).toEqual([]);
  });

  it("are removed with their parts", async () => {
    const multipartPutUrls = { contentType: "a/b", contentLength: 3, firstPart: 1 };
    const { multipartPutUrls: given } = await create("in parts", { multipartPutUrls });
    const url = new URL(given?.urls[0] ?? "");
    expect((await fetch(url, { method: "PUT", body: "abc" })).status).toBe(200);
    await expire("in parts", "upload_expires");
    s3.requests();
    await runOnce();
    expect(s3.requests()).toContainEqual(
      expect.stringMatching(new RegExp(`^DELETE .*uploadId=${url.searchParams.get("uploadId")}`)),
    );
    expect(await rows()).not.toContain("in parts");
  });

  it("do not include an upload that another call has extended", async () => {
    await create("alive");
    await expire("alive", "upload_expires");
    const uploadId = (
      await stack.database.db.maybeOne(
        Type.Object({ upload_id: Type.String() }),
        sql`select upload_id from objects where name = 'alive'`,
      )
    )?.upload_id;
    await object.createUpload(
      { name: "alive" },
      { projectId, uploadId: uploadId ?? "", expires, proposedUploadMethods: {} },
    );
    await runOnce();
    expect(await rows()).toContain("alive");
  });
});
