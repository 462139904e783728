// Uploads to and downloads from real stores.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runningTask } from "../../../test/support/running-task.ts";
import { startS3Server, type S3Server } from "../../../test/support/s3-server.ts";
import { testStack, type Stack } from "../../../test/support/stack.ts";
import { ClientError } from "../client-error.ts";
import { connect, type Client } from "../connect.ts";
import { createDigest } from "./digest.ts";

const expires = new Date(Date.now() + 3_600_000);
const partBytes = 100_000;
const bytes = new Uint8Array(250_000).map((_, i) => i % 251);
const digest = await createDigest("sha256");
digest.update(bytes);
const sha256 = digest.hex();

describe.each(["local", "s3"] as const)("on the %s store", (kind) => {
  let s3: S3Server | undefined;
  let stack: Stack;
  /** A client with the real `fetch`. */
  let reader: Client;
  beforeAll(async () => {
    if (kind === "s3") s3 = await startS3Server();
    stack = await testStack({ roles: ["api"], partBytes, ...(s3 && { s3 }) });
    reader = connect({ rootUrl: stack.rootUrl, credentials: stack.rootCredentials });
  });
  afterAll(async () => {
    await stack.stop();
    await s3?.close();
  });
  async function newRun() {
    const { run, worker } = await runningTask(stack);
    // The credentials of the run sign every request of the upload.
    const credentials = await worker.queue.reclaimTask(run);
    return { run, client: connect({ rootUrl: stack.rootUrl, credentials: credentials.credentials }) };
  }

  test.each(["object", "s3"] as const)(
    "an artifact of type %s is uploaded and downloaded",
    async (storageType) => {
      const { run, client } = await newRun();
      const name = "private/some data.bin";
      const sent: number[] = [];
      const uploaded = await client.artifacts.upload({
        ...run,
        name,
        content: new Blob([bytes], { type: "a/b" }),
        expires,
        storageType,
        onProgress: ({ bytes: done, total }) => void sent.push(total === bytes.length ? done : NaN),
      });
      expect(uploaded).toEqual({ size: bytes.length, sha256 });
      expect([sent[0], sent.at(-1)]).toEqual([0, bytes.length]);
      expect(sent.toSorted((a, b) => a - b)).toEqual(sent);
      for (const of of [run, { taskId: run.taskId }]) {
        const download = await reader.artifacts.download({ ...of, name });
        expect(download).toMatchObject({ contentType: "a/b", size: bytes.length });
        expect(download.hashes).toEqual(storageType === "object" ? { sha256 } : {});
        const received = new Uint8Array(await new Response(download.body).arrayBuffer());
        expect(Buffer.from(received).equals(bytes)).toBe(true);
      }
      const puts = s3?.requests().filter((line) => /^PUT .*X-Amz-Signature/.test(line)) ?? [];
      if (s3) expect(puts).toHaveLength(storageType === "object" ? 3 : 1);
    },
  );

  test.each(["", "some text ü"])("text is uploaded as UTF-8: %j", async (content) => {
    const { run, client } = await newRun();
    const name = "public/a.txt";
    await client.artifacts.upload({ ...run, name, content, expires: expires.toISOString() });
    const { body, contentType } = await reader.artifacts.download({ ...run, name });
    expect(await new Response(body).text()).toBe(content);
    expect(contentType).toBe("text/plain; charset=utf-8");
  });

  test("an upload ends with the caller's signal, and with refusals", async () => {
    const { run, client } = await newRun();
    const enough = new Error("enough");
    const controller = new AbortController();
    const onProgress = ({ bytes: done }: { bytes: number }): void => {
      if (done > 0) controller.abort(enough);
    };
    const upload = { ...run, name: "public/x", content: bytes, expires };
    const aborted = client.artifacts.upload({ ...upload, onProgress, signal: controller.signal });
    await expect(aborted).rejects.toBe(enough);
    const anonymous = connect({ rootUrl: stack.rootUrl });
    const error: unknown = await anonymous.artifacts.upload(upload).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({ code: "InsufficientScopes", statusCode: 403 });
  });
});
