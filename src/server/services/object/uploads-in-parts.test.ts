// Uploads in parts, through the API and with S3.
import { request } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startS3Server, type S3Server } from "../../../../test/support/s3-server.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import { slugid } from "../../../lib/slugid.ts";

// The least that S3 accepts.
const partBytes = 5 * 1024 ** 2;
let s3: S3Server;
let stack: Stack;
let object: Stack["client"]["object"];
beforeAll(async () => {
  s3 = await startS3Server();
  stack = await testStack({ roles: ["api"], s3, partBytes });
  ({ object } = stack.client);
});
afterAll(async () => {
  await stack.stop();
  await s3.close();
});

const start = (name: string, contentLength: number, uploadId = slugid()) => {
  const ids = { projectId: "none", uploadId };
  const expires = "2100-01-01T00:00:00.000Z";
  return {
    ids,
    create: async (firstPart = 1) => {
      const multipartPutUrls = { contentType: "a/b", contentLength, firstPart };
      const proposedUploadMethods = { multipartPutUrls };
      const { uploadMethod } = await object.createUpload(
        { name },
        { ...ids, expires, proposedUploadMethods },
      );
      if (!uploadMethod.multipartPutUrls) throw new Error("no URLs for parts");
      return uploadMethod.multipartPutUrls;
    },
  };
};
const put = (url: string, body: Uint8Array): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method: "PUT" }, (reply) => {
      reply.resume().on("end", () => resolve(reply.headers.etag ?? `status ${reply.statusCode}`));
    });
    sent.on("error", reject).end(body);
  });

it("an object is uploaded in parts, each of which can be requested and sent again", async () => {
  const name = "large";
  const content = Buffer.alloc(2 * partBytes + 1_000_000, "taskyard ");
  const { ids, create } = start(name, content.length);
  const { partSize, partCount, firstPart, urls } = await create();
  expect([partSize, partCount, firstPart, urls.length]).toEqual([partBytes, 3, 1, 3]);
  const part = (n: number): Buffer => content.subarray((n - 1) * partSize, n * partSize);
  await put(urls[0] ?? "", Buffer.from("incomplete"));
  const first = await put(urls[0] ?? "", part(1));
  // The upload continues with URLs that were requested later.
  const rest = await create(2);
  expect([rest.firstPart, rest.urls.length]).toEqual([2, 2]);
  const others = await Promise.all(rest.urls.map((url, i) => put(url, part(i + 2))));

  await expect(object.finishUpload({ name }, ids)).rejects.toMatchObject({
    code: "RequestConflict",
    message: expect.stringContaining("and send the ETags of its parts as partEtags"),
  });
  await object.finishUpload({ name }, { ...ids, partEtags: [first, ...others] });
  const { url } = await object.startDownload({ name }, { acceptDownloadMethods: { simple: true } });
  const reply = await fetch(url);
  expect(reply.headers.get("content-type")).toBe("a/b");
  expect(Buffer.from(await reply.arrayBuffer()).equals(content)).toBe(true);
});

it("concurrent calls that finish one upload share a single attempt", async () => {
  const name = "slow";
  const { ids, create } = start(name, 3);
  const { urls } = await create();
  const partEtags = [await put(urls[0] ?? "", Buffer.from("abc"))];
  s3.requests();
  await Promise.all([1, 2, 3].map(() => object.finishUpload({ name }, { ...ids, partEtags })));
  expect(s3.requests().filter((sent) => sent.startsWith("POST"))).toHaveLength(1);
  await object.finishUpload({ name }, { ...ids, partEtags });
});

it("a reply has up to a hundred URLs, and parts are larger if there would be too many", async () => {
  const terabytes = start("huge", 5 * 1024 ** 4);
  const huge = await terabytes.create(9_950);
  expect([huge.partCount, huge.partSize * huge.partCount >= 5 * 1024 ** 4]).toEqual([10_000, true]);
  expect([huge.firstPart, huge.urls.length]).toEqual([9_950, 51]);
  expect((await terabytes.create()).urls).toHaveLength(100);
  await expect(start("small", 1).create(2)).rejects.toMatchObject({
    code: "InputError",
    message: expect.stringContaining(
      "firstPart is 2, but the number of parts for 1 bytes is 1: request a part from 1 to that.",
    ),
  });
  expect((await start("nothing", 0).create()).urls).toHaveLength(1);
});

it("parts with another total length than declared can be sent again", async () => {
  const name = "too short";
  const { ids, create } = start(name, 3);
  const send = async (content: string) => {
    const { urls } = await create();
    return [await put(urls[0] ?? "", Buffer.from(content))];
  };
  await expect(object.finishUpload({ name }, { ...ids, partEtags: await send("ab") })).rejects.toMatchObject({
    code: "RequestConflict",
    message: expect.stringContaining(
      "was created with a length of 3 bytes, but 2 were uploaded. Upload it again.",
    ),
  });
  await object.finishUpload({ name }, { ...ids, partEtags: await send("abc") });
  const { url } = await object.startDownload({ name }, { acceptDownloadMethods: { simple: true } });
  expect(await (await fetch(url)).text()).toBe("abc");
  expect((await s3.keys("private-artifacts")).filter((key) => key.endsWith(name))).toHaveLength(1);
});

it("concurrent calls share one upload, and switching to another method leaves no parts behind", async () => {
  const name = "shared";
  const { ids, create } = start(name, 3);
  const replies = await Promise.all([create(), create(), create(), create()]);
  const uploadIds = new Set(replies.map(({ urls }) => new URL(urls[0] ?? "").searchParams.get("uploadId")));
  expect(uploadIds.size).toBe(1);
  await put(replies[0]?.urls[0] ?? "", Buffer.from("abc"));
  const dataInline = { contentType: "a/b", objectData: Buffer.from("xyz").toString("base64") };
  await object.createUpload(
    { name },
    { ...ids, expires: "2100-01-01T00:00:00.000Z", proposedUploadMethods: { dataInline } },
  );
  s3.requests();
  await object.finishUpload({ name }, ids);
  expect(s3.requests().filter((sent) => sent.startsWith("DELETE"))).toEqual([
    expect.stringContaining(`uploadId=${[...uploadIds].join("")}`),
  ]);
  const { url } = await object.startDownload({ name }, { acceptDownloadMethods: { simple: true } });
  expect(await (await fetch(url)).text()).toBe("xyz");
});
