// Objects from upload to download, on both stores.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startS3Server, type S3Server } from "../../../../test/support/s3-server.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import type { CreateUploadRequest, Hashes } from "../../../api/object/schemas.ts";
import { slugid } from "../../../lib/slugid.ts";
import { sql } from "../../core/sql.ts";
import { hashesOf } from "./hashes.ts";

const inHours = (n: number): string => new Date(Date.now() + n * 3_600_000).toISOString();
const projectId = "project/one";
const inline = (text: string, contentType = "text/plain") => ({
  dataInline: { contentType, objectData: Buffer.from(text).toString("base64") },
});
const request = (
  proposedUploadMethods: CreateUploadRequest["proposedUploadMethods"],
  overrides: Partial<CreateUploadRequest> = {},
): CreateUploadRequest => ({
  projectId,
  uploadId: slugid(),
  expires: inHours(1),
  proposedUploadMethods,
  ...overrides,
});
const conflict = (message: string) => ({
  code: "RequestConflict",
  statusCode: 409,
  message: expect.stringContaining(message),
});

describe.each(["local", "s3"] as const)("an object on the %s store", (kind) => {
  let s3: S3Server | undefined;
  let stack: Stack;
  let object: Stack["client"]["object"];
  beforeAll(async () => {
    if (kind === "s3") s3 = await startS3Server();
    const cdn = [{ regexp: "^cdn/", baseUrl: "https://cdn.example.com/o/" }];
    stack = await testStack({ roles: ["api"], config: { objects: { cdn } }, ...(s3 && { s3 }) });
    ({ object } = stack.client);
  });
  afterAll(async () => {
    await stack.stop();
    await s3?.close();
  });

  const newName = () => `tests/${slugid()}/a b`;
  const content = async (name: string) => {
    const { url } = await object.startDownload({ name }, { acceptDownloadMethods: { simple: true } });
    const reply = await fetch(url);
    return [await reply.text(), reply.headers.get("content-type")];
  };

  it("is uploaded inline in a request", async () => {
    const name = newName();
    const upload = request(inline("hello"));
    const { uploadId, expires } = upload;
    expect(await object.createUpload({ name }, upload)).toEqual({
      projectId,
      uploadId,
      expires,
      uploadMethod: { dataInline: true },
    });
    const notFound = { code: "ResourceNotFound", statusCode: 404 };
    await expect(object.object({ name })).rejects.toMatchObject(notFound);
    await expect(
      object.startDownload({ name }, { acceptDownloadMethods: { simple: true } }),
    ).rejects.toMatchObject(notFound);
    await object.finishUpload({ name }, { projectId, uploadId });
    expect(await object.object({ name })).toEqual({
      projectId,
      expires,
      hashes: hashesOf(Buffer.from("hello")),
    });
    expect(await content(name)).toEqual(["hello", "text/plain"]);
  });

  it("is uploaded by a PUT with the headers in the reply", async () => {
    const name = newName();
    const contentLength = 9000;
    const proposed = { putUrl: { contentType: "a/b", contentLength } };
    const upload = request(proposed);
    const { uploadMethod } = await object.createUpload({ name }, upload);
    expect(uploadMethod.putUrl).toMatchObject({
      headers: { "Content-Type": "a/b", "Content-Length": "9000", "Content-Encoding": "identity" },
    });
    const lasts = Date.parse(uploadMethod.putUrl?.expires ?? "") - Date.now();
    expect(Math.abs(lasts - 45 * 60_000)).toBeLessThan(60_000);
    const ids = { projectId, uploadId: upload.uploadId };
    await expect(object.finishUpload({ name }, ids)).rejects.toMatchObject(
      conflict(`Nothing was uploaded for object "${name}"`),
    );
    const { url = "", headers = {} } = uploadMethod.putUrl ?? {};
    const put = await fetch(url, { method: "PUT", headers, body: "x".repeat(contentLength) });
    expect(put.status).toBe(200);
    await object.finishUpload({ name }, ids);
    expect(await content(name)).toEqual(["x".repeat(contentLength), "a/b"]);
    // The local store computes a hash. S3 does not return one.
    const { hashes } = await object.object({ name });
    const { sha256 } = hashesOf(Buffer.from("x".repeat(contentLength)));
    expect(hashes).toEqual(kind === "local" ? { sha256 } : {});
  });

  it("is not finished with another length than declared, or with hashes of other content", async () => {
    const name = newName();
    const upload = request({ putUrl: { contentType: "a/b", contentLength: 3 } });
    const ids = { projectId, uploadId: upload.uploadId };
    const { uploadMethod } = await object.createUpload({ name }, upload);
    const { url = "", headers = {} } = uploadMethod.putUrl ?? {};
    expect((await fetch(url, { method: "PUT", headers, body: "abc" })).status).toBe(200);
    const longer = { ...upload, proposedUploadMethods: { putUrl: { contentType: "a/b", contentLength: 4 } } };
    await object.createUpload({ name }, longer);
    await expect(object.finishUpload({ name }, ids)).rejects.toMatchObject(
      conflict(`Object "${name}" was created with a length of 4 bytes, but 3 were uploaded.`),
    );
    await object.createUpload({ name }, upload);
    const hashes = hashesOf(Buffer.from("other"));
    if (kind === "local")
      await expect(object.finishUpload({ name }, { ...ids, hashes })).rejects.toMatchObject(
        conflict(
          `The sha256 of object "${name}" is ${hashes.sha256} in this request, but the uploaded content has`,
        ),
      );
    await object.finishUpload({ name }, { ...ids, hashes: hashesOf(Buffer.from("abc")) });
    expect((await object.object({ name })).hashes).toEqual(hashesOf(Buffer.from("abc")));
  });

  it("accepts no content for an upload that has ended, except in S3, where no URL can be revoked", async () => {
    const name = newName();
    const proposed = request({ putUrl: { contentType: "a/b", contentLength: 3 } });
    const { uploadMethod } = await object.createUpload({ name }, proposed);
    const { url = "", headers = {} } = uploadMethod.putUrl ?? {};
    const { db } = stack.database;
    for (const [end, why] of [
      [sql`update objects set upload_expires = now() where name = ${name}`, `was not finished by `],
      [
        sql`update objects set upload_expires = now() + interval '1 day', expires = now() where name = ${name}`,
        `object "${name}" expired at `,
      ],
      [sql`update objects set upload_id = ${slugid()} where name = ${name}`, `object "${name}" has expired.`],
      [sql`delete from objects where name = ${name}`, `object "${name}" has expired.`],
    ] as const) {
      expect(await db.run(end)).toBe(1);
      const reply = await fetch(url, { method: "PUT", headers, body: "abc" });
      expect(reply.status).toBe(kind === "s3" ? 200 : 403);
      if (kind === "s3") continue;
      const { code, message } = (await reply.json()) as { code: string; message: string };
      expect(code).toBe("AccessDenied");
      expect(message).toMatch(/^This URL can no longer be used: .* call createUpload with another name\./);
      expect(message).toContain(why);
    }
  });

  it("prefers inline data to a URL, and a URL to nothing", async () => {
    const putUrl = { contentType: "a/b", contentLength: 1 };
    const methodsOf = async (proposed: CreateUploadRequest["proposedUploadMethods"]) =>
      Object.keys((await object.createUpload({ name: newName() }, request(proposed))).uploadMethod);
    expect(await methodsOf({ ...inline("x"), putUrl })).toEqual(["dataInline"]);
    expect(await methodsOf({ putUrl })).toEqual(["putUrl"]);
    expect(await methodsOf({})).toEqual([]);
    const small = { contentType: "a/b", contentLength: 1, firstPart: 1 };
    expect(await methodsOf({ putUrl, multipartPutUrls: small })).toEqual(["putUrl"]);
    const large = { ...small, contentLength: 64 * 1024 ** 2 + 1 };
    const inParts = kind === "s3" ? ["multipartPutUrls"] : ["putUrl"];
    expect(await methodsOf({ putUrl, multipartPutUrls: large })).toEqual(inParts);
    expect(await methodsOf({ multipartPutUrls: small })).toEqual(kind === "s3" ? inParts : []);
  });

  it("can be created again until it is finished, but only with the same data", async () => {
    const name = newName();
    const upload = request({});
    expect((await object.createUpload({ name }, upload)).uploadMethod).toEqual({});
    const taken = `An upload for object "${name}" already exists with another`;
    for (const [change, member] of [
      [{ uploadId: slugid() }, "uploadId"],
      [{ projectId: "other" }, "projectId"],
      [{ expires: inHours(3) }, "expires"],
    ] as const)
      await expect(object.createUpload({ name }, { ...upload, ...change })).rejects.toMatchObject(
        conflict(`${taken} ${member}`),
      );
    await object.createUpload({ name }, { ...upload, proposedUploadMethods: inline("one") });
    const ids = { projectId, uploadId: upload.uploadId };
    await object.finishUpload({ name }, ids);
    await object.finishUpload({ name }, ids);
    await expect(object.createUpload({ name }, upload)).rejects.toMatchObject(
      conflict(`Object "${name}" already exists and cannot be uploaded again: choose another name.`),
    );
    expect(await content(name)).toEqual(["one", "text/plain"]);
  });

  it("keeps its hashes: until it is finished, hashes may be added but not changed", async () => {
    const name = newName();
    const upload = request({}, { hashes: { md5: "a" } });
    const ids = { projectId, uploadId: upload.uploadId };
    await object.createUpload({ name }, upload);
    await object.createUpload({ name }, { ...upload, hashes: { crc: "b" } });
    const other = conflict(
      `The md5 of object "${name}" is x in this request, but an earlier call, or the content that it sent, has a.`,
    );
    await expect(object.createUpload({ name }, { ...upload, hashes: { md5: "x" } })).rejects.toMatchObject(
      other,
    );
    await object.createUpload({ name }, { ...upload, proposedUploadMethods: inline("data") });
    const hashes = hashesOf(Buffer.from("data"));
    const wrong = { ...upload, proposedUploadMethods: inline("data"), hashes: { sha512: "0".repeat(128) } };
    await expect(object.createUpload({ name }, wrong)).rejects.toMatchObject(
      conflict("but the content of dataInline has"),
    );
    await expect(object.finishUpload({ name }, { ...ids, hashes: { md5: "x" } })).rejects.toMatchObject(
      other,
    );
    // No call mentioned it: it is that of the content.
    const sha256 = "0".repeat(64);
    await expect(object.finishUpload({ name }, { ...ids, hashes: { sha256 } })).rejects.toMatchObject(
      conflict(`but an earlier call, or the content that it sent, has ${hashes.sha256}`),
    );
    await object.finishUpload({ name }, { ...ids, hashes: { more: "c" } });
    expect((await object.object({ name })).hashes).toEqual({ ...hashes, md5: "a", crc: "b", more: "c" });
    await object.finishUpload({ name }, { ...ids, hashes: { md5: "a", ...hashes } });
    await expect(object.finishUpload({ name }, { ...ids, hashes: { md5: "x" } })).rejects.toMatchObject(
      conflict(`The md5 of object "${name}" is x in this request, but the finished object has a.`),
    );
    await expect(object.finishUpload({ name }, { ...ids, hashes: { late: "x" } })).rejects.toMatchObject(
      conflict(`Object "${name}" was finished without its late`),
    );
  });

  it("accepts any algorithm name, even the names of JavaScript's built-in members", async () => {
    const name = newName();
    const upload = request(inline("x"), {
      hashes: JSON.parse('{"constructor":"a","__proto__":"b"}') as Hashes,
    });
    const ids = { projectId, uploadId: upload.uploadId };
    await object.createUpload({ name }, upload);
    await object.finishUpload({ name }, { ...ids, hashes: { valueOf: "c" } });
    const { hashes } = await object.object({ name });
    expect(Object.entries(hashes).filter(([algorithm]) => !algorithm.startsWith("sha"))).toEqual(
      expect.arrayContaining([
        ["constructor", "a"],
        ["__proto__", "b"],
        ["valueOf", "c"],
      ]),
    );
    await expect(object.finishUpload({ name }, { ...ids, hashes: { toString: "x" } })).rejects.toMatchObject(
      conflict(`Object "${name}" was finished without its toString`),
    );
  });

  it("is finished only with its upload id and project, and once by concurrent calls", async () => {
    const name = newName();
    const upload = request(inline("x"));
    const ids = { projectId, uploadId: upload.uploadId };
    await expect(object.finishUpload({ name }, ids)).rejects.toMatchObject({
      code: "ResourceNotFound",
      message: expect.stringContaining(`There is no upload for object "${name}"`),
    });
    await object.createUpload({ name }, upload);
    await expect(object.finishUpload({ name }, { ...ids, projectId: "other" })).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringContaining('does not belong to project "other"'),
    });
    await expect(object.finishUpload({ name }, { ...ids, uploadId: slugid() })).rejects.toMatchObject(
      conflict(`The upload of object "${name}" does not have the id`),
    );
    const values = ["a", "b", "a", "b"];
    const calls = values.map((md5) => object.finishUpload({ name }, { ...ids, hashes: { md5 } }));
    const done = (await Promise.allSettled(calls)).map(({ status }) => status === "fulfilled");
    const { md5 } = (await object.object({ name })).hashes;
    expect(done).toEqual(values.map((value) => value === md5));
  });

  it("is downloaded by getUrl or simple, in this order, and by no other method", async () => {
    const name = newName();
    const upload = request(inline("x"));
    await object.createUpload({ name }, upload);
    await object.finishUpload({ name }, { projectId, uploadId: upload.uploadId });
    const started = await object.startDownload(
      { name },
      { acceptDownloadMethods: { simple: true, getUrl: true } },
    );
    if (started.method !== "getUrl") throw new Error("not by getUrl");
    expect(started.hashes).toEqual(hashesOf(Buffer.from("x")));
    expect(Math.abs(Date.parse(started.expires) - Date.now() - 60_000)).toBeLessThan(30_000);
    expect(await (await fetch(started.url)).text()).toBe("x");
    await expect(object.startDownload({ name }, { acceptDownloadMethods: {} })).rejects.toMatchObject({
      code: "NoMatchingMethod",
      statusCode: 406,
    });
    const unsigned = await fetch(`${stack.rootUrl}/api/object/v1/download/${encodeURIComponent(name)}`, {
      redirect: "manual",
    });
    expect(unsigned.status).toBe(403);
  });

  it("is downloaded from a CDN if a rule matches, but by getUrl from the store", async () => {
    const name = `cdn/${slugid()}/a b`;
    const upload = request(inline("x"));
    await object.createUpload({ name }, upload);
    await object.finishUpload({ name }, { projectId, uploadId: upload.uploadId });
    const simple = await object.startDownload({ name }, { acceptDownloadMethods: { simple: true } });
    // With the content id, as in the bucket, so that a reused name never returns what the CDN has cached.
    const path = new RegExp(`^https://cdn.example.com/o/[\\w-]{22}/${name.replace(" ", "%20")}$`);
    expect(simple).toEqual({ method: "simple", url: expect.stringMatching(path) });
    if (s3) {
      const [, key = ""] = simple.url.split("/o/");
      expect(await s3.keys("private-artifacts")).toContain(`objects/${decodeURIComponent(key)}`);
    }
    const getUrl = await object.startDownload({ name }, { acceptDownloadMethods: { getUrl: true } });
    expect(await (await fetch(getUrl.url)).text()).toBe("x");
    const reader = stack.limited([`object:download:${name}`]);
    expect(await reader.object.download({ name })).toEqual({ url: simple.url });
  });

  it("requires scopes for its name and project", async () => {
    const name = newName();
    const upload = request(inline("x"));
    const ids = { projectId, uploadId: upload.uploadId };
    const refused = (scope: string) => ({
      code: "InsufficientScopes",
      message: expect.stringContaining(scope),
    });
    const uploading = refused(`object:upload:${projectId}:${name}`);
    const downloading = refused(`object:download:${name}`);
    const insufficient = stack.limited([`object:upload:other:${name}`, "object:download:other"]).object;
    await expect(insufficient.createUpload({ name }, upload)).rejects.toMatchObject(uploading);
    await expect(insufficient.finishUpload({ name }, ids)).rejects.toMatchObject(uploading);
    await expect(insufficient.object({ name })).rejects.toMatchObject(downloading);
    await expect(insufficient.download({ name })).rejects.toMatchObject(downloading);
    await expect(
      insufficient.startDownload({ name }, { acceptDownloadMethods: { simple: true } }),
    ).rejects.toMatchObject(downloading);
    const sufficient = stack.limited([
      `object:upload:${projectId}:tests/*`,
      "object:download:tests/*",
    ]).object;
    await sufficient.createUpload({ name }, upload);
    await sufficient.finishUpload({ name }, ids);
    expect(await sufficient.object({ name })).toMatchObject({ projectId });
  });

  it("is refused with a reason if it could not be stored", async () => {
    const attempt = async (
      proposed: CreateUploadRequest["proposedUploadMethods"],
      overrides = {},
      name = newName(),
    ) =>
      object.createUpload({ name }, request(proposed, overrides)).then(
        () => "accepted",
        (err: Error) => err.message.split("\n")[0],
      );
    const before = await stack.database.db.run(sql`select from objects`);
    const data = (objectData: string) => ({ dataInline: { contentType: "a/b", objectData } });
    expect(await attempt(data("no base64"))).toContain("dataInline.objectData must be base64");
    expect(await attempt(data(Buffer.alloc(8193).toString("base64")))).toContain(
      "has 8193 bytes; the limit is 8192",
    );
    expect(await attempt(data(Buffer.alloc(8192).toString("base64")))).toBe("accepted");
    expect(await attempt(inline("x", "a\nb"))).toContain("not allowed in a Content-Type header");
    expect(await attempt({ putUrl: { contentType: "a/b", contentLength: -1 } })).toContain(
      "contentLength is -1; it must be between 0 and",
    );
    expect(await attempt({}, { hashes: { "no name": "x" } })).toContain(
      '"no name", which is not a valid name of an algorithm',
    );
    expect(await attempt({}, { hashes: { md5: 1 } })).toContain("hashes.md5 must be a string");
    expect(await attempt({}, {}, "x".repeat(1201))).toContain("has 1201 characters; the limit is 1200");
    if (kind === "s3") {
      expect(await attempt(inline("x"), {}, "x".repeat(1020))).toContain("is too long for the store");
      const late = { contentType: "a/b", contentLength: 1, firstPart: 2 };
      expect(await attempt({ multipartPutUrls: late })).toContain(
        "firstPart is 2, but the number of parts for 1 bytes is 1",
      );
      expect(await attempt({ putUrl: { contentType: "a/b", contentLength: 5 * 1024 ** 3 + 1 } })).toContain(
        "S3 accepts at most 5368709120 in one PUT. Upload it in parts: propose multipartPutUrls.",
      );
    }
    expect(await stack.database.db.run(sql`select from objects`)).toBe(before + 1);
  });
});
