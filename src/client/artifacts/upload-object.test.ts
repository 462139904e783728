// Uploads in parts with failing PUTs and expiring URLs, without a network.
import { beforeEach, expect, test } from "vitest";
import { manualClock } from "../../../test/support/clock.ts";
import type { CreateUploadRequest, UploadMethod } from "../../api/object/schemas.ts";
import { createDigest } from "./digest.ts";
import { uploadObject, type ObjectClient } from "./upload-object.ts";

const content = Buffer.from("0123456789ab");
const clock = manualClock();
const minute = 60_000;
/** The requests to the object service and the PUTs to the store, in order. */
let calls: string[];
let finished: unknown;
/** The headers of the last PUT. */
let sentHeaders: unknown;
/** Called when a URL is used, before the store accepts the bytes. */
let onPut: (url: string) => void | Promise<void>;
beforeEach(() => {
  calls = [];
  finished = undefined;
  onPut = () => undefined;
});

/** Parts of five bytes, two URLs per request. */
function inParts({ proposedUploadMethods: { multipartPutUrls: of } }: CreateUploadRequest): UploadMethod {
  const firstPart = of?.firstPart ?? 0;
  calls.push(`createUpload of ${of?.contentLength} bytes from part ${firstPart}`);
  const urls = [firstPart, firstPart + 1].map((part) => `part ${part}`).slice(0, 4 - firstPart);
  return { multipartPutUrls: { partSize: 5, partCount: 3, firstPart, urls, expires: "" } };
}
const inOne = (): UploadMethod => ({
  putUrl: { url: "whole", expires: "", headers: { "Content-Type": "a/b", "Content-Length": "12" } },
});

async function upload(method: (body: CreateUploadRequest) => UploadMethod): Promise<void> {
  const objects: ObjectClient = {
    createUpload: async (_, body) => Promise.resolve({ uploadMethod: method(body) }),
    finishUpload: async (_, body) => Promise.resolve(void (finished = body)),
    withCredentials: () => objects,
  };
  await uploadObject({
    objects,
    target: {
      storageType: "object",
      name: "an object",
      projectId: "p",
      uploadId: "u",
      expires: "2030-01-01T00:00:00.000Z",
      credentials: { clientId: "c", accessToken: "t", certificate: "{}" },
    },
    contentType: "a/b",
    size: content.length,
    clock,
    signal: new AbortController().signal,
    retry: async (call) => call().catch(() => call()),
    async put({ url, headers, size, range: { start, end } = { start: 0, end: content.length }, digest }) {
      const body = content.subarray(start, end + 1);
      digest.update(body);
      sentHeaders = headers;
      calls.push(`${url}: ${body.toString()}`);
      expect(body.length).toBe(size);
      await onPut(url);
      return `etag of ${url}`;
    },
  });
}
const digest = await createDigest("sha256");
digest.update(content);
const sha256 = digest.hex();
const etags = ["etag of part 1", "etag of part 2", "etag of part 3"];

test("parts are uploaded one by one, and more URLs are requested when the first are used up", async () => {
  await upload(inParts);
  expect(calls).toEqual([
    "createUpload of 12 bytes from part 1",
    "part 1: 01234",
    "part 2: 56789",
    "createUpload of 12 bytes from part 3",
    "part 3: ab",
  ]);
  expect(finished).toEqual({ projectId: "p", uploadId: "u", hashes: { sha256 }, partEtags: etags });
});

test("a part that the store did not accept is sent again, and is hashed once", async () => {
  let tries = 0;
  onPut = (url) => {
    if (url === "part 2" && tries++ === 0) throw new Error("torn");
  };
  await upload(inParts);
  expect(calls.filter((call) => call === "part 2: 56789")).toHaveLength(2);
  expect(finished).toMatchObject({ hashes: { sha256 }, partEtags: etags });
});

test("URLs that are about to expire are replaced", async () => {
  onPut = async (url) => {
    if (url === "part 1") await clock.advance(31 * minute);
  };
  await upload(inParts);
  expect(calls.filter((call) => call.startsWith("createUpload"))).toEqual([
    "createUpload of 12 bytes from part 1",
    "createUpload of 12 bytes from part 2",
  ]);
  expect(finished).toMatchObject({ hashes: { sha256 }, partEtags: etags });
});

test("a store without parts gets the whole file in one PUT, whose length is stated only by the sender", async () => {
  await upload(inOne);
  expect(calls).toEqual(["whole: 0123456789ab"]);
  expect(sentHeaders).toEqual({ "content-type": "a/b" });
  expect(finished).toEqual({ projectId: "p", uploadId: "u", hashes: { sha256 } });
});

test("a service that offers no upload method is an error", async () => {
  await expect(upload(() => ({}))).rejects.toThrow("the object service offered no way to upload an object");
});
