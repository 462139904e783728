// Downloads from a server that breaks connections, without a queue.
import { expect, test } from "vitest";
import { manualClock } from "../../../test/support/clock.ts";
import { immediateClock } from "../../../test/support/immediate-clock.ts";
import { json, scriptedServer, type Reply } from "../../../test/support/scripted-server.ts";
import { ClientError } from "../client-error.ts";
import { connect } from "../connect.ts";
import { createDigest, type DigestAlgorithm } from "./digest.ts";
import { IDLE_LIMIT_MS } from "./idle-limit.ts";

const taskId = "fN1SbArXTPSVFNUvaOlinQ";
const name = "public/data.bin";
const text = "0123456789abcdefghij";

async function hashOf(algorithm: DigestAlgorithm): Promise<string> {
  const digest = await createDigest(algorithm);
  digest.update(new TextEncoder().encode(text));
  return digest.hex();
}
const hashes = { sha256: await hashOf("sha256"), sha512: await hashOf("sha512") };

const credentials = { clientId: "a", accessToken: "b", certificate: "" };
const artifact = json({ storageType: "object", name: "o", credentials });
let urls = 0;
/** Replies to startDownload with the URL of this server. Each is different. */
const location =
  (of: object = hashes): Reply =>
  (response, request) =>
    json({ method: "getUrl", url: `http://${request.headers.host}/${++urls}`, expires: "", hashes: of })(
      response,
      request,
    );
const headers = { "content-type": "a/b", etag: '"1"', "accept-ranges": "bytes" };
/** Sends the whole content, or its start, after which the connection breaks. */
const content =
  (end = text.length, more: Record<string, string> = {}): Reply =>
  (response) => {
    response.writeHead(200, { ...headers, "content-length": text.length, ...more });
    if (end === text.length) response.end(text);
    else response.write(text.slice(0, end), () => response.destroy());
  };
/** Sends the content from `start`, or a range of it, after which the connection breaks. */
const rest =
  (start: number, end = text.length): Reply =>
  (response) => {
    const range = `bytes ${start}-${text.length - 1}/${text.length}`;
    response.writeHead(206, { ...headers, "content-range": range, "content-length": text.length - start });
    if (end === text.length) response.end(text.slice(start));
    else response.write(text.slice(start, end), () => response.destroy());
  };

async function download(retries: number, ...replies: readonly [...Reply[], Reply]) {
  urls = 0;
  const server = await scriptedServer(...replies);
  const clock = immediateClock(Math.min(IDLE_LIMIT_MS, 30_000));
  const { artifacts } = connect({ rootUrl: server.rootUrl, clock, retries });
  const progress: number[] = [];
  const onProgress = ({ bytes }: { bytes: number }): void => void progress.push(bytes);
  const read = async () => {
    const { body, ...description } = await artifacts.download({ taskId, name, onProgress });
    return { ...description, text: await new Response(body).text() };
  };
  return { server, clock, progress, result: read() };
}

test("a complete download is verified, and reports its progress", async () => {
  const { result, progress, server } = await download(0, artifact, location(), content());
  expect(await result).toEqual({ text, contentType: "a/b", size: text.length, hashes });
  expect([progress[0], progress.at(-1)]).toEqual([0, text.length]);
  const [queue, object, store] = server.requests;
  expect(queue?.url).toBe(`/api/queue/v1/task/${taskId}/artifact-content/public%2Fdata.bin`);
  expect(JSON.parse(object?.body ?? "")).toEqual({ acceptDownloadMethods: { getUrl: true, simple: true } });
  // The store must not get the caller's signature.
  expect([store?.url, store?.headers.authorization, store?.headers.range]).toEqual([
    "/1",
    undefined,
    undefined,
  ]);
});

test("a broken connection is resumed at a new URL, and only there", async () => {
  const { result, server, clock } = await download(
    1,
    artifact,
    location(),
    content(4),
    artifact,
    location(),
    rest(4, 9),
    artifact,
    location(),
    rest(9),
  );
  expect((await result).text).toBe(text);
  const stored = server.requests.filter(({ url }) => !url.startsWith("/api/"));
  expect(stored.map(({ url, headers }) => [url, headers.range, headers["if-range"]])).toEqual([
    ["/1", undefined, undefined],
    ["/2", "bytes=4-", '"1"'],
    ["/3", "bytes=9-", '"1"'],
  ]);
  // A connection that brought bytes restarts the backoff.
  expect(clock.waits.filter((ms) => ms < 1000).every((ms) => ms <= 125)).toBe(true);
});

test.each([
  ["does not support ranges", { "accept-ranges": "none" }],
  ["ignores them", {}],
])("a store that %s sends everything again, which is skipped", async (_, more) => {
  const { result } = await download(
    2,
    artifact,
    location(),
    content(7, more),
    artifact,
    location(),
    content(12, more),
    artifact,
    location(),
    content(text.length, more),
  );
  expect((await result).text).toBe(text);
});

test.each(["sha256", "sha512"])("damaged content is an error after the last byte: %s", async (algorithm) => {
  const wrong = { ...hashes, [algorithm]: "0".repeat(64) };
  const { result } = await download(3, artifact, location(wrong), content());
  await expect(result).rejects.toMatchObject({ code: "HashMismatch", method: "artifacts.download" });
  await expect(result).rejects.toThrow(`instead of ${"0".repeat(64)}: it was damaged. Download it again`);
});

test("a reader may start as late as it likes", async () => {
  const server = await scriptedServer(artifact, location(), content());
  const clock = manualClock();
  const { body } = await connect({ rootUrl: server.rootUrl, clock }).artifacts.download({ taskId, name });
  await clock.advance(2 * IDLE_LIMIT_MS);
  expect(await new Response(body).text()).toBe(text);
});

test("content that is replaced during the download is an error", async () => {
  const replaced = content(text.length, { etag: '"2"' });
  const { result } = await download(3, artifact, location(), content(4), artifact, location(), replaced);
  await expect(result).rejects.toThrow("the artifact was replaced while it was downloaded");
});

test("failures without a byte in between are limited", async () => {
  const fails = json({}, 503);
  const { result, server } = await download(2, artifact, location(), content(4), fails);
  await expect(result).rejects.toMatchObject({ statusCode: 503 });
  expect(server.requests).toHaveLength(3 + 2);
  const { result: never, server: busy } = await download(2, artifact, location(), json({}, 503));
  await expect(never).rejects.toMatchObject({ statusCode: 503 });
  expect(busy.requests.length).toBeLessThanOrEqual(9);
});

test("a refusal of the store is final, and has its status and text", async () => {
  const refuses: Reply = (response) => response.writeHead(403).end("<Code>AccessDenied</Code>");
  const { result, server } = await download(5, artifact, location(), refuses);
  const error: unknown = await result.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ClientError);
  expect(error).toMatchObject({
    message: "the artifact store returned 403 to artifacts.download: <Code>AccessDenied</Code>",
    code: "Status403",
    statusCode: 403,
  });
  expect(server.requests).toHaveLength(3);
});

test("an artifact that records an error has no content", async () => {
  const reason = "file-missing-on-worker";
  const { result } = await download(0, json({ storageType: "error", reason, message: "no such file" }));
  await expect(result).rejects.toMatchObject({
    code: "NoContent",
    message: `the artifact ${name} of ${taskId} has no content: no such file. See the log of the task.`,
    body: { reason, message: "no such file" },
  });
});

test("the caller's signal ends a download, and so does a reader that cancels", async () => {
  const server = await scriptedServer(artifact, location(), (response) => {
    response.writeHead(200, headers);
    response.write("start");
  });
  const { artifacts } = connect({ rootUrl: server.rootUrl });
  const enough = new Error("enough");
  const controller = new AbortController();
  const { body } = await artifacts.download({ taskId, name, signal: controller.signal });
  const reader = body.getReader();
  expect((await reader.read()).value).toHaveLength(5);
  const next = reader.read();
  controller.abort(enough);
  await expect(next).rejects.toBe(enough);
  await server.requests[2]?.closed;
});

test("a reader that cancels closes the connection", async () => {
  const server = await scriptedServer(artifact, location(), (response) => {
    response.writeHead(200, headers);
    response.write("start");
  });
  const { body } = await connect({ rootUrl: server.rootUrl }).artifacts.download({ taskId, name });
  const reader = body.getReader();
  await reader.read();
  const next = reader.read();
  await reader.cancel();
  expect((await next).done).toBe(true);
  await server.requests[2]?.closed;
});
