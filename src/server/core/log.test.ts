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
  it("writes one record a line, with the level's name and an ISO time", () => {
    const { log, written } = lines();
    log.child({ prefix: "queue" }).warn({ taskId: "abc" }, "late");
    expect(written).toHaveLength(1);
    const record = JSON.parse(written[0] ?? "");
    expect(record).toMatchObject({ level: "warn", prefix: "queue", taskId: "abc", msg: "late" });
    expect(new Date(record.time).toISOString()).toBe(record.time);
  });

  it("leaves out what is below its level", () => {
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

  it("bears a record that contains itself", () => {
    const { log, written } = lines();
    const record: Record<string, unknown> = { secret: "S3CRET" };
    record["self"] = record;
    log.info(record, "round");
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
  it("hides parameters that let their holder in and keeps the rest", () => {
    expect(scrubUrl("/a?limit=1&bewit=abc%3D&x=2")).toBe("/a?limit=1&bewit=(hidden)&x=2");
    expect(scrubUrl("https://h/a?Signature=abc#top")).toBe("https://h/a?Signature=(hidden)#top");
    expect(scrubUrl("/a?design=1&limit=2")).toBe("/a?design=1&limit=2");
  });
});

describe("pretty log", () => {
  it("writes time, level, message and members on one line", () => {
    const { log, written } = lines({ format: "pretty", colours: false });
    log.info({ port: 8080, why: "two words", list: [1, 2] }, "listening");
    expect(written).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d INFO  listening port=8080 why="two words" list=\[1,2\]\n$/),
    ]);
  });

  it("writes an error's stack below its line, indented", () => {
    const { log, written } = lines({ format: "pretty", colours: false });
    log.error({ err: new Error("broken") }, "oh");
    expect(written[0]).toMatch(/ ERROR oh\n {2}Error: broken\n {6}at .+\n$/s);
  });

  it("hides secrets, and colours only where told", () => {
    const { log, written } = lines({ format: "pretty", colours: true });
    log.warn({ accessToken: "S3CRET" }, "careful");
    expect(written[0]).toContain("accessToken=(hidden)");
    expect(written[0]).toContain("\u001b[33m");
  });
});
