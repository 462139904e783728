import { createHash } from "node:crypto";
import { get, request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { testStore, type TestStore } from "../../../../../test/support/local-store.ts";
import { slugid } from "../../../../lib/slugid.ts";

const MB = 1024 * 1024;
const parts = 160;
const part = Buffer.alloc(MB, "taskyard ");

let t: TestStore;
beforeAll(async () => {
  t = await testStore({ maxSize: parts * MB });
});
afterAll(() => t.close());

// Garbage is collected before each measurement.
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Returns the memory held by buffers in MB. */
function bufferedMb(): number {
  collectGarbage();
  return process.memoryUsage().external / MB;
}

it("streams an artifact in both directions without buffering it, even for a slow reader", async () => {
  const key = { taskId: slugid(), runId: 0, name: "public/big" };
  const put = await t.uploadUrl(key, "a/b");
  const sha256 = createHash("sha256");
  const before = bufferedMb();
  const samples: number[] = [];
  const headers = { "content-type": "a/b", "content-length": parts * MB };
  const sent = request(put, { method: "PUT", headers });
  const status = new Promise((resolve, reject) =>
    sent.once("response", ({ statusCode }) => resolve(statusCode)).once("error", reject),
  );
  const source = function* () {
    for (let n = 0; n < parts; n++) {
      if (n % 32 === 31) samples.push(bufferedMb() - before);
      sha256.update(part);
      yield part;
    }
  };
  await pipeline(Readable.from(source()), sent);
  expect(await status).toBe(200);
  expect(await t.store.stat(key)).toMatchObject({ size: parts * MB, sha256: sha256.digest("hex") });

  const url = await t.downloadUrl(key);
  const response = await new Promise<Readable>((resolve, reject) => get(url, resolve).once("error", reject));
  let received = 0;
  for await (const bytes of response as AsyncIterable<Buffer>) {
    received += bytes.length;
    // Lets the server run between two samples: it would read ahead if it did not wait for the reader.
    if (received % (32 * MB) < bytes.length) {
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      samples.push(bufferedMb() - before);
    }
  }
  expect(received).toBe(parts * MB);
  expect(samples.length).toBeGreaterThanOrEqual(10);
  // Measured: up to 10 for the upload and 30 for the download, not yet released by the garbage collector.
  expect(Math.max(...samples)).toBeLessThan(parts / 2);
});
