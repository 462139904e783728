import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { startLiveLogServer } from "./live-log-server.ts";
import type { LiveLogServer } from "./live-log-server.ts";
import { openTaskLog } from "./task-log.ts";
import type { TaskLog } from "./task-log.ts";

let folder: string;
let log: TaskLog;
let server: LiveLogServer;
let url: string;
let detach: () => void;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "taskyard-live-"));
  log = await openTaskLog(join(folder, "task.log"), systemClock);
  server = await startLiveLogServer({ host: "127.0.0.1", port: 0 });
  ({ url, detach } = server.attach(log));
});
afterEach(async () => {
  await log.dispose();
  await server.close();
  await rm(folder, { recursive: true });
});

const write = (text: string) => new Promise<void>((done) => log.raw.write(Buffer.from(text), () => done()));
const from = (byte: number) => fetch(url, { headers: { range: `bytes=${byte}-` } });

describe("a live log", () => {
  test("follows the log and ends with it", async () => {
    await write("one\n");
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    const text = response.text();
    await write("two\n");
    await log.close();
    expect(await text).toBe("one\ntwo\n");
  });

  test("sends text as soon as it is written", async () => {
    const response = await fetch(url);
    const reader = response.body?.getReader();
    for (const word of ["first", "second"]) {
      await write(word);
      const chunk = await reader?.read();
      expect(Buffer.from(chunk?.value ?? []).toString()).toBe(word);
    }
    await reader?.cancel();
  });

  test("resumes at the byte where a reader was disconnected", async () => {
    await write("0123456789");
    const response = await from(10);
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe("bytes 10-9007199254740991/*");
    await write("ab");
    await log.close();
    expect(await response.text()).toBe("ab");
  });

  test("sends its length once it is complete", async () => {
    await write("0123456789");
    await log.close();
    const response = await from(4);
    expect(response.headers.get("content-range")).toBe("bytes 4-9/10");
    expect(await response.text()).toBe("456789");
    const beyond = await from(10);
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get("content-range")).toBe("bytes */10");
    expect(await beyond.text()).toBe("This log has 10 bytes and is complete.\n");
  });

  test("refuses a byte that it does not have yet", async () => {
    const response = await from(5);
    expect(response.status).toBe(416);
    expect(await response.text()).toBe("This log has 0 bytes so far.\n");
  });

  test.each(["bytes=-5", "bytes=0-4", "bytes=0-1,5-", "lines=1-", "nonsense"])(
    "ignores the range %s, which is not supported while it grows",
    async (range) => {
      await write("0123456789");
      await log.close();
      const response = await fetch(url, { headers: { range } });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("0123456789");
    },
  );

  test("serves many readers, including a late and a stuck one", async () => {
    const stuck = await fetch(url);
    const readers = Array.from({ length: 20 }, async () => (await fetch(url)).text());
    const text = "a line of output\n".repeat(100_000);
    await write(text);
    const late = fetch(url).then((response) => response.text());
    await log.close();
    for (const seen of await Promise.all([...readers, late])) expect(seen === text).toBe(true);
    await stuck.body?.cancel();
  });

  test("is available only with its secret", async () => {
    const wrong = `${url.slice(0, -1)}${url.endsWith("A") ? "B" : "A"}`;
    for (const elsewhere of [wrong, url.slice(0, -2), new URL("/", url).href]) {
      const response = await fetch(elsewhere);
      expect(response.status).toBe(404);
      expect(await response.text()).toContain("No task of this worker is writing a log here");
    }
  });

  test("can only be read", async () => {
    const response = await fetch(url, { method: "POST", body: "x" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
  });

  test("replies to HEAD without waiting for the end, and to preflight requests of browsers", async () => {
    expect((await fetch(url, { method: "HEAD" })).status).toBe(200);
    const preflight = await fetch(url, { method: "OPTIONS" });
    expect([preflight.status, preflight.headers.get("access-control-allow-headers")]).toEqual([204, "Range"]);
  });

  test("lets readers finish after it is detached, and accepts no new ones", async () => {
    const response = await fetch(url);
    detach();
    await write("to the end");
    await log.close();
    expect(await response.text()).toBe("to the end");
    expect((await fetch(url)).status).toBe(404);
  });
});

test("the URLs of logs have the public URL, if there is one", async () => {
  const proxied = await startLiveLogServer({
    host: "127.0.0.1",
    port: 0,
    publicUrl: "https://logs.example.com/w1",
  });
  expect(proxied.attach(log).url).toMatch(/^https:\/\/logs\.example\.com\/w1\/log\/[\w-]{22}$/);
  await proxied.close();
});

test("a port that is in use is an error", async () => {
  const port = Number(new URL(url).port);
  await expect(startLiveLogServer({ host: "127.0.0.1", port })).rejects.toThrow(
    `the worker cannot serve live logs: listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
  );
});

test("closing the server ends followers", async () => {
  const response = await fetch(url);
  const ended = response.text().then(
    () => "ended",
    () => "cut off",
  );
  await server.close();
  expect(await ended).toBe("cut off");
  server = await startLiveLogServer({ host: "127.0.0.1", port: 0 });
});
