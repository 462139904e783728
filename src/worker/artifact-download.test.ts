// Downloads of a worker from a store that breaks connections and refuses requests.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { immediateClock } from "../../test/support/immediate-clock.ts";
import { json, scriptedServer, type Reply } from "../../test/support/scripted-server.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { IDLE_LIMIT_MS } from "../client/artifacts/idle-limit.ts";
import { connect } from "../client/connect.ts";
import { createDownloader } from "./artifact-download.ts";

const artifact = { taskId: "fN1SbArXTPSVFNUvaOlinQ", name: "data" };
const located: Reply = (response, request) =>
  json({ storageType: "s3", url: `http://${request.headers.host}/content` })(response, request);
/** Sends the content, or its start, after which the connection breaks. */
const content =
  (end = 10): Reply =>
  (response) => {
    response.writeHead(200, { "content-length": 10 });
    if (end === 10) response.end("0123456789");
    else response.write("0123456789".slice(0, end), () => response.destroy());
  };

async function save(maxBytes: number, ...replies: readonly [...Reply[], Reply]) {
  const { rootUrl } = await scriptedServer(...replies);
  const { queue } = connect({ rootUrl });
  // Idle limits do not pass, retries follow each other.
  const downloads = createDownloader({ queue: () => queue, clock: immediateClock(IDLE_LIMIT_MS) });
  const path = join(await temporaryFolder(), "file");
  const to = { path, maxBytes, signal: new AbortController().signal };
  return { path, saved: downloads.save(artifact, to) };
}

test("a download whose connection breaks is resumed", async () => {
  const { path, saved } = await save(10, located, content(4), located, content());
  expect(await saved).toMatchObject({ bytes: 10 });
  expect(await readFile(path, "utf8")).toBe("0123456789");
});

test("a failed download leaves no file", async () => {
  const { path, saved } = await save(9, located, content());
  await expect(saved).rejects.toThrow('the artifact "data" of task fN1SbArXTPSVFNUvaOlinQ has more than 9B');
  await expect(readFile(path)).rejects.toMatchObject({ code: "ENOENT" });
});

test("a refusal of the store fails the task, and is not taken for one of the queue", async () => {
  const refuses: Reply = (response) => response.writeHead(403).end("<Code>AccessDenied</Code>");
  const { saved } = await save(10, located, refuses);
  await expect(saved).rejects.toMatchObject({ name: "TaskFailedError" });
  await expect(saved).rejects.toThrow(
    /cannot be read: the artifact store returned 403 .*<Code>AccessDenied<\/Code>$/,
  );
});

test("a store that fails for long makes a resource unavailable", async () => {
  const { saved } = await save(10, located, (response) => response.writeHead(503).end());
  await expect(saved).rejects.toMatchObject({ name: "ResourceUnavailableError" });
});
