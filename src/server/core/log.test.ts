import { spawnSync } from "node:child_process";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createLog, type LogOptions, scrubUrl } from "./log.ts";

function lines(options: Partial<LogOptions> = {}) {
  const written: string[] = [];
  const log = createLog({
    level: "info",
    format: "json",
    destination: { write: (line) => written.push(line) },
    ...options,
  });
  return { log, written };
}

describe("json log", () => {
  it("writes one record per line, with the level's name and an ISO time", () => {
    const { log, written } = lines();
    log.child({ prefix: "queue" }).warn({ taskId: "abc" }, "late");
    expect(written).toHaveLength(1);
    const record = JSON.parse(written[0] ?? "");
    expect(record).toMatchObject({ level: "warn", prefix: "queue", taskId: "abc", msg: "late" });
    expect(new Date(record.time).toISOString()).toBe(record.time);
  });

  it("omits records below its level", () => {
    const { log, written } = lines({ level: "error" });
    log.warn("no");
    expect(written).toEqual([]);
  });

  it.each([
    { authorization: "Hawk id=…S3CRET" },
    { request: { headers: { authorization: "S3CRET", cookie: "S3CRET" } } },
    { credentials: { clientId: "me", accessToken: "S3CRET", certificate: "S3CRET" } },
    { config: { auth: { secret: "S3CRET", password: "S3CRET" } } },
    { bewit: "S3CRET" },
    { url: "/api/queue/v1/task/x?bewit=S3CRET" },
    { tries: [{ ok: true }, { credentials: [{ accessToken: "S3CRET" }] }] },
    { err: Object.assign(new Error("no"), { request: { headers: { authorization: "S3CRET" } } }) },
  ])("hides the secret in %j", (members) => {
    const { log, written } = lines();
    const before = inspect(members, { depth: 9 });
    log.info(members, "request");
    expect(written.join("")).not.toContain("S3CRET");
    expect(written.join("")).toContain("(hidden)");
    expect(inspect(members, { depth: 9 })).toBe(before);
  });

  it("hides a secret that is bound to a child logger", () => {
    const { log, written } = lines();
    log.child({ accessToken: "S3CRET", taskId: "abc" }).info("bound");
    expect(JSON.parse(written[0] ?? "")).toMatchObject({ accessToken: "(hidden)", taskId: "abc" });
  });

  it("accepts a record that contains itself", () => {
    const { log, written } = lines();
    const record: Record<string, unknown> = { secret: "S3CRET" };
    record["self"] = record;
    log.info(record, "circular");
    expect(written.join("")).not.toContain("S3CRET");
  });

  it("writes an error with its stack and cause", () => {
    const { log, written } = lines();
    log.error({ err: new Error("outer", { cause: new Error("inner") }) }, "failed");
    const { err } = JSON.parse(written[0] ?? "");
    expect(err.message).toBe("outer: inner");
    expect(err.stack).toContain("caused by: Error: inner");
  });
});

describe("scrubUrl", () => {
  it("hides parameters that grant access and keeps the rest", () => {
    expect(scrubUrl("/a?limit=1&bewit=abc%3D&x=2")).toBe("/a?limit=1&bewit=(hidden)&x=2");
    expect(scrubUrl("https://h/a?Signature=abc#top")).toBe("https://h/a?Signature=(hidden)#top");
    expect(scrubUrl("/a?design=1&limit=2")).toBe("/a?design=1&limit=2");
  });
});

describe("pretty log", () => {
  it("writes time, level, prefix, message and members on one line", () => {
    const { log, written } = lines({ format: "pretty" });
    log.info({ port: 8080, why: "two words", list: [1, 2] }, "listening");
    log.child({ prefix: "queue" }).warn({ taskId: "abc" }, "late");
    expect(written).toEqual([
      expect.stringMatching(
        /^\[\d\d:\d\d:\d\d\] INFO: listening \{"port":8080,"why":"two words","list":\[1,2\]\}\n$/,
      ),
      expect.stringMatching(/^\[\d\d:\d\d:\d\d\] WARN: queue: late \{"taskId":"abc"\}\n$/),
    ]);
  });

  it("writes an error's stack and cause below its line, indented", () => {
    const { log, written } = lines({ format: "pretty" });
    log.error({ err: new Error("outer", { cause: new Error("inner") }) }, "oh");
    expect(written[0]).toMatch(/\] ERROR: oh.*\n +Error: outer\n +at .+\n +caused by: Error: inner\n +at /s);
  });

  it("hides secrets", () => {
    const { log, written } = lines({ format: "pretty" });
    log.warn({ accessToken: "S3CRET", request: { headers: { authorization: "S3CRET" } } }, "careful");
    log.error({ err: Object.assign(new Error("no"), { secret: "S3CRET" }) }, "failed");
    log.child({ password: "S3CRET" }).info({ url: "/a?bewit=S3CRET" }, "bound");
    expect(written.join("")).not.toContain("S3CRET");
    expect(written).toEqual(Array(3).fill(expect.stringContaining("(hidden)")));
  });

  it("has colors only if they are requested", () => {
    for (const colors of [true, false]) {
      const { log, written } = lines({ format: "pretty", colors });
      log.warn({ port: 8080 }, "careful");
      expect(written[0]?.includes("\u001b[33mWARN")).toBe(colors);
      expect(written[0]?.includes("\u001b")).toBe(colors);
    }
  });

  it("loses no line of a process that exits immediately", () => {
    const program = `
      import { createLog } from ${JSON.stringify(import.meta.resolve("./log.ts"))};
      const log = createLog({ level: "info", format: "pretty" });
      for (let i = 1; i <= 1000; i++) log.info({ i }, "line");
      process.exit(0);
    `;
    const args = ["--import", "tsx", "--input-type=module", "-e", program];
    const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(stdout.split("\n")).toHaveLength(1001);
  });
});
