import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { manualClock } from "../../test/support/clock.ts";
import { onlyOnLinux } from "../../test/support/only-if.ts";
import { openTaskLog } from "./task-log.ts";
import type { ReadOptions, TaskLog } from "./task-log.ts";

let folder: string;
let log: TaskLog;
const clock = manualClock(Date.UTC(2026, 0, 1));
const stamp = "2026-01-01T00:00:00.000Z";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "taskyard-log-"));
  log = await openTaskLog(join(folder, "task.log"), clock);
});
afterEach(async () => {
  await log.dispose();
  await rm(folder, { recursive: true });
});

async function textOf(options?: ReadOptions): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of log.read(options)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
const write = (text: string) => new Promise<void>((done) => log.raw.write(Buffer.from(text), () => done()));

describe("a task log", () => {
  test("keeps messages and output in the order in which they were written", async () => {
    log.info("first");
    void write("output\n");
    log.error("last");
    await log.close();
    expect(await textOf()).toBe(`[taskcluster ${stamp}] first\noutput\n[taskcluster:error] last\n`);
  });

  test("starts a new line for a message in the middle of a line of output", async () => {
    void write("no newline");
    log.error("oops");
    void write("");
    log.error("again");
    await log.close();
    expect(await textOf()).toBe("no newline\n[taskcluster:error] oops\n[taskcluster:error] again\n");
  });

  test("has the same content for early and late readers, while it grows and afterwards", async () => {
    const early = textOf();
    await write("one ");
    const late = textOf();
    await write("two ");
    await write("three");
    await log.close();
    const readers = [early, late, textOf()];
    expect(await Promise.all(readers)).toEqual(Array(3).fill("one two three"));
  });

  test("can be read from any byte, including the end", async () => {
    await write("0123456789");
    const rest = textOf({ from: 10 });
    expect(log.byteLength).toBe(10);
    await write("ab");
    await log.close();
    expect(await rest).toBe("ab");
    expect(await textOf({ from: 7 })).toBe("789ab");
    expect(await textOf({ from: 99 })).toBe("");
  });

  test("does not wait for a slow reader", async () => {
    const slow = log.read();
    await write("x".repeat(100));
    await slow.next();
    for (let i = 0; i < 40; i++) await write("y".repeat(100_000));
    await log.close();
    expect(log.byteLength).toBe(4_000_100);
    let rest = 0;
    for await (const chunk of slow) rest += chunk.length;
    expect(rest).toBe(4_000_000);
  });

  test("ends a waiting reader when its signal aborts, and no other", async () => {
    const gone = new AbortController();
    const first = log.read({ signal: gone.signal });
    const second = textOf();
    await write("seen");
    expect(String((await first.next()).value)).toBe("seen");
    const next = first.next();
    gone.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    await write(" by one");
    await log.close();
    expect(await second).toBe("seen by one");
  });

  test("can be read to the end after its file is removed", async () => {
    const reader = log.read();
    await write("still here");
    const first = await reader.next();
    await write(" and here");
    await log.close();
    await rm(log.path);
    const second = await reader.next();
    expect(`${String(first.value)}${String(second.value)}`).toBe("still here and here");
    expect((await reader.next()).done).toBe(true);
  });

  test("has its content even if the task replaced the file, by a link or by a named pipe without a writer", async () => {
    await write("before ");
    await rm(log.path);
    execFileSync("mkfifo", [log.path]);
    await write("with a pipe ");
    await rm(log.path);
    await symlink("/etc/hostname", log.path);
    await write("with a link");
    await log.close();
    expect(await textOf()).toBe("before with a pipe with a link");
    expect(await textOf({ from: 7, to: 10 })).toBe("with");
  });

  test("that was disposed closes its file when the last reader has ended", async () => {
    await write("text");
    const reader = log.read();
    await reader.next();
    await log.dispose();
    expect((await reader.next()).done).toBe(true);
    await expect(textOf()).rejects.toThrow("no longer kept");
  });

  test("ends the reading when the file was truncated", async () => {
    await write("gone");
    await truncate(log.path, 0);
    expect(await textOf()).toBe("");
  });

  test("reports when it has grown beyond a size, or ended before", async () => {
    const [none, gone] = [new AbortController(), new AbortController()];
    const results = [
      log.grownBeyond(5, none.signal),
      log.grownBeyond(20, none.signal),
      log.grownBeyond(20, gone.signal),
    ];
    await write("123456");
    expect(await results[0]).toBe(true);
    gone.abort();
    expect(await results[2]).toBe(false);
    await log.close();
    expect(await results[1]).toBe(false);
  });

  test("can be closed twice, and drops messages afterwards", async () => {
    await Promise.all([log.close(), log.close()]);
    log.info("too late");
    expect(await textOf()).toBe("");
  });
});

test(
  "a full disk ends the output of commands, and the log says which disk is full",
  onlyOnLinux,
  async () => {
    const full = await openTaskLog("/dev/full", clock);
    full.info("does not fit");
    full.raw.write(Buffer.from("output\n"));
    full.error("the end");
    await full.close();
    expect(full.failure?.message).toContain("ENOSPC");
    const whole = await text(Readable.from(full.read()));
    expect(whole.split("\n")).toEqual([
      "",
      "[taskcluster:error] The log cannot be written to the worker's folder /dev: the disk is full (ENOSPC). The output of commands from here on is lost.",
      expect.stringMatching(/^\[taskcluster .*\] does not fit$/),
      "[taskcluster:error] the end",
      "",
    ]);
    expect(full.byteLength).toBe(Buffer.byteLength(whole));
    expect(await text(Readable.from(full.read({ from: 5, to: 20 })))).toBe(whole.slice(5, 21));
    await full.dispose();
  },
);
