// `npm run bench:artifact`: uploads and downloads one large artifact, and prints throughput and the server's memory
// during the transfer. With --s3, it is uploaded in parts to an S3 server in this process, bypassing our server.
import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { get, request, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { connect, slugid, type Client } from "../src/client/index.ts";
import { claimOne, createTask } from "../test/support/factories.ts";
import { startS3Server } from "../test/support/s3-server.ts";
import { s3Buckets, s3Key } from "../test/support/s3-settings.ts";
import { usageOf } from "./cpu.ts";
import { startBenchServer } from "./server.ts";

const { values: options } = parseArgs({
  options: {
    gib: { type: "string", default: "5" },
    s3: { type: "boolean", default: false },
    // Where data is stored. Needs space for the artifact, twice as much with --s3.
    dir: { type: "string", default: tmpdir() },
  },
});

const MiB = 1024 ** 2;
const total = Math.round(Number(options.gib) * 1024) * MiB;

/** Random bytes, which neither a compressor nor a file system can shrink. Each chunk starts with its own number. */
const block = randomFillSync(Buffer.alloc(MiB));

const s3 = options.s3 ? await startS3Server() : undefined;
const server = await startBenchServer({
  dir: options.dir,
  env: s3
    ? {
        TASKYARD_ARTIFACTS_STORE: "s3",
        TASKYARD_S3_ENDPOINT: s3.endpoint,
        TASKYARD_S3_FORCE_PATH_STYLE: "true",
        TASKYARD_S3_ACCESS_KEY_ID: s3Key.accessKeyId,
        TASKYARD_S3_SECRET_ACCESS_KEY: s3Key.secretAccessKey,
        TASKYARD_S3_PUBLIC_BUCKET: s3Buckets.publicBucket,
        TASKYARD_S3_PRIVATE_BUCKET: s3Buckets.privateBucket,
      }
    : {},
});
try {
  const { rootUrl, credentials } = server;
  const client = connect({ rootUrl, credentials });
  console.log(`${total / 1024 ** 3} GiB, ${s3 ? "in parts to an S3 server" : "the local store"}\n`);
  console.log(
    "| direction | seconds | MB/s | server's CPU | server's memory in MiB: before; at each tenth; maximum |",
  );
  console.log("|---|---|---|---|---|");
  const url = s3 ? await uploadParts(client) : await uploadWhole(client);
  await measured("download", (moved) => download(url, moved));
} finally {
  await server.stop();
  await s3?.close();
}

function chunkAt(n: number): Buffer {
  block.writeUInt32LE(n, 0);
  return block;
}
function* chunks(from: number, to: number): Generator<Buffer> {
  for (let n = from; n < to; n++) yield Buffer.from(chunkAt(n));
}

async function measured(
  direction: string,
  run: (moved: (bytes: number) => void) => Promise<void>,
): Promise<void> {
  const memory = (): number => usageOf(server.pid).nodeMemory;
  const before = usageOf(server.pid);
  const tenths: number[] = [];
  let maximum = before.nodeMemory;
  let done = 0;
  const timer = setInterval(() => (maximum = Math.max(maximum, memory())), 100);
  const start = performance.now();
  await run((bytes) => {
    done += bytes;
    if (done >= ((tenths.length + 1) * total) / 10) tenths.push(memory());
  });
  const seconds = (performance.now() - start) / 1000;
  clearInterval(timer);
  if (done !== total) throw new Error(`${direction}: ${done} bytes were moved instead of ${total}`);
  const cpu = usageOf(server.pid).node - before.node;
  const series = tenths.map((mib) => mib.toFixed(0)).join(" ");
  console.log(
    `| ${direction} | ${seconds.toFixed(1)} | ${(total / 1e6 / seconds).toFixed(0)} | ${cpu.toFixed(1)} s | ` +
      `${before.nodeMemory.toFixed(0)}; ${series}; ${maximum.toFixed(0)} |`,
  );
}

/** Uploads an artifact of type s3 with one PUT; returns its URL. */
async function uploadWhole(client: Client): Promise<string> {
  const taskId = await createTask(client);
  const claim = await claimOne(client);
  const at = { taskId, runId: String(claim.runId), name: "public/large" };
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const reply = await client.queue.createArtifact(at, { storageType: "s3", expires, contentType: "a/b" });
  if (reply.storageType !== "s3") throw new Error("createArtifact returned no upload URL");
  await measured("upload", (moved) =>
    put(reply.putUrl, 0, total / MiB, moved, { "content-type": "a/b" }).then(() => undefined),
  );
  return (await client.queue.getArtifact(at)).url;
}

/** Uploads an object in parts, two at a time; returns its URL. */
async function uploadParts({ object }: Client): Promise<string> {
  const at = { name: `bench/${slugid()}` };
  const of = { projectId: "bench", uploadId: slugid() };
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  await measured("upload", async (moved) => {
    const partEtags: string[] = [];
    for (;;) {
      const multipartPutUrls = { contentType: "a/b", contentLength: total, firstPart: partEtags.length + 1 };
      const upload = await object.createUpload(at, {
        ...of,
        expires,
        proposedUploadMethods: { multipartPutUrls },
      });
      const parts = upload.uploadMethod.multipartPutUrls;
      if (!parts) throw new Error("createUpload returned no part URLs");
      const perPart = parts.partSize / MiB;
      for (let i = 0; i < parts.urls.length; i += 2) {
        const two = parts.urls.slice(i, i + 2).map((url, j) => {
          const from = (parts.firstPart - 1 + i + j) * perPart;
          return put(url, from, Math.min(from + perPart, total / MiB), moved);
        });
        partEtags.push(...(await Promise.all(two)));
      }
      if (partEtags.length === parts.partCount) break;
    }
    await object.finishUpload(at, { ...of, partEtags });
  });
  return (await object.startDownload(at, { acceptDownloadMethods: { simple: true } })).url;
}

/** Sends the chunks `from` to `to`; returns the ETag. */
async function put(
  url: string,
  from: number,
  to: number,
  moved: (bytes: number) => void,
  headers: Record<string, string> = {},
): Promise<string> {
  const sent = request(url, { method: "PUT", headers: { ...headers, "content-length": (to - from) * MiB } });
  const response = once(sent, "response") as Promise<[IncomingMessage]>;
  const counted = function* (): Generator<Buffer> {
    for (const chunk of chunks(from, to)) {
      moved(chunk.length);
      yield chunk;
    }
  };
  const [[reply]] = await Promise.all([
    response,
    pipeline(Readable.from(counted(), { highWaterMark: 2 }), sent),
  ]);
  reply.resume();
  if (reply.statusCode !== 200) throw new Error(`the upload failed with status ${reply.statusCode}`);
  return reply.headers.etag ?? "";
}

/** Downloads the artifact and compares every byte. */
async function download(url: string, moved: (bytes: number) => void): Promise<void> {
  const [reply] = (await once(get(url), "response")) as [IncomingMessage];
  let at = 0;
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    for (let done = 0; done < chunk.length;) {
      const start = (at + done) % MiB;
      const length = Math.min(MiB - start, chunk.length - done);
      const expected = chunkAt(Math.floor((at + done) / MiB)).subarray(start, start + length);
      if (!chunk.subarray(done, done + length).equals(expected))
        throw new Error(`wrong bytes were returned, somewhere after ${at + done}`);
      done += length;
    }
    at += chunk.length;
    moved(chunk.length);
  }
}
