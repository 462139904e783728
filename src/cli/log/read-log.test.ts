import { expect, test } from "vitest";
import type { TaskStatus } from "../../api/queue/status.ts";
import { connect } from "../../client/connect.ts";
import { json, scriptedServer, type Answer } from "../../../test/support/scripted-server.ts";
import { readLog, type ReadLogOptions } from "./read-log.ts";

const taskId = "fN1SbArXTPSVFNUvaOlinQ";
const text = "first line\nsecond line\nthird ☃ line\n";
const bytes = Buffer.from(text);

type Run = Pick<TaskStatus["runs"][number], "state" | "started">;
const running: Run = { state: "running", started: "2026-01-31T12:00:00.000Z" };
const over: Run = { ...running, state: "completed" };

interface Scene {
  /** What each question for the status finds; the last is repeated. */
  readonly runs: readonly Run[];
  /** What each request for the live log gets; the last is repeated. None: there is no such artifact. */
  readonly live?: readonly (Answer | Broken)[];
  readonly backing?: readonly Answer[];
}

/** An answer that sends the bytes up to here, and breaks the connection when they were read: sooner, none may be seen. */
interface Broken {
  readonly breaksAt: number;
}

/** A queue with one task and the places where its logs are, as far as reading a log asks for them. */
async function play(scene: Scene, options: Partial<ReadLogOptions> = {}) {
  const asked: string[] = [];
  const counts = { status: 0, live: 0, backing: 0 };
  const chunks: Uint8Array[] = [];
  let onChunk = (): void => undefined;
  const answerOf =
    (of: Answer | Broken | undefined): Answer =>
    (response, request) => {
      if (of === undefined || !("breaksAt" in of)) return of?.(response, request);
      onChunk = () => void (Buffer.concat(chunks).length >= of.breaksAt && response.destroy());
      response.writeHead(200, { "content-length": bytes.length }).write(bytes.subarray(0, of.breaksAt));
    };
  const next = <T>(list: readonly T[], kind: keyof typeof counts): T | undefined =>
    list[Math.min(++counts[kind], list.length) - 1];
  const server = await scriptedServer((response, request) => {
    const { url, headers } = request;
    const log = url === "/live" ? "live" : url === "/backing" ? "backing" : undefined;
    if (log !== undefined) asked.push(headers.range === undefined ? log : `${log} ${headers.range}`);
    if (url.endsWith("/status")) json({ status: { runs: [next(scene.runs, "status")] } })(response, request);
    else if (log !== undefined) answerOf(next<Answer | Broken>(scene[log] ?? [], log))(response, request);
    else {
      const kind = url.includes("backing") ? "backing" : "live";
      const there = scene[kind] !== undefined;
      const storageType = kind === "live" ? "reference" : "s3";
      const found = json({ storageType, url: `${server.rootUrl}/${kind}` }, 303);
      (there ? found : json({ code: "ResourceNotFound", message: "no" }, 404))(response, request);
    }
  });
  let seen = 0;
  const watch = {
    get seen() {
      return seen;
    },
    since: () => Promise.resolve(void seen++),
  };
  const client = connect({ rootUrl: server.rootUrl });
  const { signal } = new AbortController();
  for await (const chunk of readLog({ client, taskId, runId: 0, watch, signal, ...options })) {
    chunks.push(chunk);
    onChunk();
  }
  return {
    read: Buffer.concat(chunks).toString(),
    asked: asked.filter((kind) => kind !== "status"),
    waits: seen,
  };
}

const whole: Answer = (response) => response.end(text);
const from =
  (at: number, end = bytes.length): Answer =>
  (response) =>
    response.writeHead(206).end(bytes.subarray(at, end));
const broken = (breaksAt: number): Broken => ({ breaksAt });

test("the live log of a run that goes on is followed to its end", async () => {
  expect(await play({ runs: [running], live: [whole] })).toEqual({ read: text, asked: ["live"], waits: 0 });
});

test("a run that waits, or has not announced its log, is waited for", async () => {
  const pending: Run = { state: "pending" };
  const { read, waits } = await play({ runs: [pending, pending, over], backing: [whole] });
  expect({ read, waits }).toEqual({ read: text, waits: 2 });
});

test("a broken connection is resumed behind the last byte, in the middle of a character too", async () => {
  const cut = bytes.indexOf(0xe2) + 1;
  const { read, asked } = await play({ runs: [running], live: [broken(cut), from(cut)] });
  expect({ read, asked }).toEqual({ read: text, asked: ["live", `live bytes=${cut}-`] });
});

test("a server without ranges sends all again, and what is known is skipped", async () => {
  const { read } = await play({ runs: [running], live: [broken(12), whole] });
  expect(read).toBe(text);
});

test("where the live log is gone, the saved one goes on, without a range", async () => {
  const { read, asked } = await play({ runs: [running, over], live: [broken(12)], backing: [whole] });
  expect({ read, asked }).toEqual({ read: text, asked: ["live", "backing"] });
});

test("a run that is over and has not saved its log may still be read live", async () => {
  const canceled: Run = { ...running, state: "exception" };
  expect((await play({ runs: [canceled], live: [whole] })).read).toBe(text);
});

test("a log that was complete already is complete", async () => {
  const nothingMore: Answer = (response) => response.writeHead(416).end();
  const { read } = await play({
    runs: [running],
    live: [broken(bytes.length - 1), from(bytes.length - 1), nothingMore],
  });
  expect(read).toBe(text);
  expect((await play({ runs: [running], live: [nothingMore] })).read).toBe("");
});

test("a run that never began has no log", async () => {
  expect(await play({ runs: [{ state: "exception" }] })).toEqual({ read: "", asked: [], waits: 0 });
});

test("what there is so far ends where the log ended when asked", async () => {
  const length: Answer = (response) => response.writeHead(416, { "content-range": "bytes */12" }).end();
  const { read, asked } = await play({ runs: [running], live: [length, whole] }, { soFar: true });
  expect(read).toBe(text.slice(0, 12));
  expect(asked).toEqual([`live bytes=${Number.MAX_SAFE_INTEGER - 1}-`, "live"]);
  const ignorant = play({ runs: [running], live: [whole] }, { soFar: true });
  await expect(ignorant).rejects.toThrow("cannot tell how long the log is: follow it with -f");
});

test("a run that is not there is told", async () => {
  await expect(play({ runs: [running] }, { runId: 3 })).rejects.toThrow(`${taskId} has no run 3`);
});

test("the signal ends the reading with its reason", async () => {
  const stop = new AbortController();
  const reason = new Error("enough");
  const stall: Answer = (response) => {
    response.write("x");
    stop.abort(reason);
  };
  await expect(play({ runs: [running], live: [stall] }, { signal: stop.signal })).rejects.toBe(reason);
});
