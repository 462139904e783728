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

// The collector runs before each look, or the figure is that of garbage.
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** The memory that buffers hold, in MB. */
function held(): number {
  collectGarbage();
  return process.memoryUsage().external / MB;
}

it("moves an artifact in both directions without holding it in memory, however slow the reader", async () => {
  const key = { taskId: slugid(), runId: 0, name: "public/big" };
  const put = await t.uploadUrl(key, "a/b");
  const sha256 = createHash("sha256");
  const before = held();
  const looks: number[] = [];
  const headers = { "content-type": "a/b", "content-length": parts * MB };
  const sent = request(put, { method: "PUT", headers });
  const status = new Promise((resolve, reject) =>
    sent.once("response", ({ statusCode }) => resolve(statusCode)).once("error", reject),
  );
  const source = function* () {
    for (let n = 0; n < parts; n++) {
      if (n % 16 === 15) looks.push(held() - before);
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
    // The server gets its turns between two looks, and would read on if it did not wait for the reader.
    if (received % (16 * MB) < bytes.length) {
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      looks.push(held() - before);
    }
  }
  expect(received).toBe(parts * MB);
  expect(looks.length).toBeGreaterThanOrEqual(20);
  // Measured: up to 10 on the way in and 30 on the way out, which the collector has not given back yet.
  expect(Math.max(...looks)).toBeLessThan(parts / 2);
});
