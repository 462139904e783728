import { expect, test } from "vitest";
import type { TaskStatus } from "../../api/queue/status.ts";
import { connect } from "../../client/connect.ts";
import { immediateClock } from "../../../test/support/immediate-clock.ts";
import { json, scriptedServer, type Reply } from "../../../test/support/scripted-server.ts";
import { readLog, type ReadLogOptions } from "./read-log.ts";

const taskId = "fN1SbArXTPSVFNUvaOlinQ";
const text = "first line\nsecond line\nthird ☃ line\n";
const bytes = Buffer.from(text);

type Run = Pick<TaskStatus["runs"][number], "state" | "started" | "resolved" | "reasonResolved">;
const running: Run = { state: "running", started: "2026-01-31T12:00:00.000Z" };
const finished: Run = { ...running, state: "completed" };

interface Scene {
  /** The run in each reply to a status request. The last one repeats. */
  readonly runs: readonly Run[];
  /** The reply to each request for the live log. The last one repeats. Undefined: there is no such artifact. */
  readonly live?: readonly (Reply | Broken)[];
  readonly backing?: readonly Reply[];
}

/** A reply that sends the bytes up to here and breaks the connection once they have been read. Earlier, they may get lost. */
interface Broken {
  readonly breaksAt: number;
}

/** Reads the log of a run from a server that has what `readLog` requests: one task and its logs. */
async function play(scene: Scene, options: Partial<ReadLogOptions> = {}) {
  const requests: string[] = [];
  const counts = { status: 0, live: 0, backing: 0 };
  const chunks: Uint8Array[] = [];
  let onChunk = (): void => undefined;
  const replyOf =
    (of: Reply | Broken | undefined): Reply =>
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
    if (log !== undefined) requests.push(headers.range === undefined ? log : `${log} ${headers.range}`);
    if (url.endsWith("/status")) json({ status: { runs: [next(scene.runs, "status")] } })(response, request);
    else if (log !== undefined) replyOf(next<Reply | Broken>(scene[log] ?? [], log))(response, request);
    else {
      const kind = url.includes("backing") ? "backing" : "live";
      const exists = scene[kind] !== undefined;
      const storageType = kind === "live" ? "reference" : "s3";
      const found = json({ storageType, url: `${server.rootUrl}/${kind}` }, 303);
      (exists ? found : json({ code: "ResourceNotFound", message: "no" }, 404))(response, request);
    }
  });
  let count = 0;
  const changes = {
    get count() {
      return count;
    },
    after: () => Promise.resolve(void count++),
  };
  const client = connect({ rootUrl: server.rootUrl });
  const { signal } = new AbortController();
  const problems: string[] = [];
  const report = (text: string): void => void problems.push(text);
  const callbacks = { onUnreachable: report, onMissing: report };
  for await (const chunk of readLog({
    client,
    taskId,
    runId: 0,
    changes,
    signal,
    ...callbacks,
    ...options,
  })) {
    chunks.push(chunk);
    onChunk();
  }
  return {
    read: Buffer.concat(chunks).toString(),
    requests,
    waits: count,
    ...(problems.length > 0 && { problems }),
  };
}

const whole: Reply = (response) => response.end(text);
const from =
  (at: number, end = bytes.length): Reply =>
  (response) =>
    response.writeHead(206).end(bytes.subarray(at, end));
const broken = (breaksAt: number): Broken => ({ breaksAt });

test("the live log of an active run is followed to its end", async () => {
  expect(await play({ runs: [running], live: [whole] })).toEqual({
    read: text,
    requests: ["live"],
    waits: 0,
  });
});

test("a run that has not started, or has no log yet, is waited for", async () => {
  const pending: Run = { state: "pending" };
  const { read, waits } = await play({ runs: [pending, pending, finished], backing: [whole] });
  expect({ read, waits }).toEqual({ read: text, waits: 2 });
});

test("a broken connection is resumed after the last byte, even within a character", async () => {
  const cut = bytes.indexOf(0xe2) + 1;
  const { read, requests } = await play({ runs: [running], live: [broken(cut), from(cut)] });
  expect({ read, requests }).toEqual({ read: text, requests: ["live", `live bytes=${cut}-`] });
});

test("if the server does not support ranges, the bytes already read are skipped", async () => {
  const { read } = await play({ runs: [running], live: [broken(12), whole] });
  expect(read).toBe(text);
});

test("if the live log is gone, reading continues in the saved one, without a range", async () => {
  const { read, requests } = await play({ runs: [running, finished], live: [broken(12)], backing: [whole] });
  expect({ read, requests }).toEqual({ read: text, requests: ["live", "backing"] });
});

test("the live log of a finished run is read while it is not saved yet", async () => {
  const canceled: Run = { ...running, state: "exception" };
  expect((await play({ runs: [canceled], live: [whole] })).read).toBe(text);
});

test("a range at the end of a complete log ends the reading", async () => {
  const nothingMore: Reply = (response) => response.writeHead(416).end();
  const { read } = await play({
    runs: [running],
    live: [broken(bytes.length - 1), from(bytes.length - 1), nothingMore],
  });
  expect(read).toBe(text);
  expect((await play({ runs: [running], live: [nothingMore] })).read).toBe("");
});

test("a run that never started has no log", async () => {
  expect(await play({ runs: [{ state: "exception", reasonResolved: "deadline-exceeded" }] })).toEqual({
    read: "",
    requests: [],
    waits: 0,
    problems: ["run 0 was never claimed by a worker (deadline-exceeded), so it has no log"],
  });
  const soFar = { soFar: true };
  await expect(play({ runs: [{ state: "pending" }] }, soFar)).rejects.toThrow(
    `run 0 of ${taskId} waits for a worker and has no log yet: use -f to wait for it`,
  );
  await expect(play({ runs: [running] }, soFar)).rejects.toThrow("is running and has no log yet");
});

test("a log that was not saved is reported without a long wait if the run ended long ago", async () => {
  const lost: Run = {
    ...running,
    state: "exception",
    reasonResolved: "worker-shutdown",
    resolved: "2026-01-31T12:01:00.000Z",
  };
  const problems = ["no log of run 0 was saved before the run ended (worker-shutdown)"];
  for (const options of [{}, { soFar: true }]) {
    expect((await play({ runs: [lost] }, options)).problems).toEqual(problems);
    expect((await play({ runs: [lost], live: [refused] }, options)).problems).toEqual(problems);
  }
});

test("a log that was not saved is waited for about fifteen seconds after the end of the run", async () => {
  const resolved = new Date().toISOString();
  const lost: Run = { ...running, state: "exception", reasonResolved: "claim-expired", resolved };
  for (const scene of [{ runs: [lost] }, { runs: [lost], live: [refused] }]) {
    const clock = immediateClock(30_000);
    expect((await play(scene, { clock })).problems).toHaveLength(1);
    const seconds = clock.waits.reduce((sum, ms) => sum + ms, 0) / 1000;
    expect(seconds).toBeGreaterThan(10);
    expect(seconds).toBeLessThan(25);
  }
});

test("the log so far ends at the length at the time of the request", async () => {
  const length: Reply = (response) => response.writeHead(416, { "content-range": "bytes */12" }).end();
  const { read, requests } = await play({ runs: [running], live: [length, whole] }, { soFar: true });
  expect(read).toBe(text.slice(0, 12));
  expect(requests).toEqual([`live bytes=${Number.MAX_SAFE_INTEGER - 1}-`, "live"]);
  const unsupported = play({ runs: [running], live: [whole] }, { soFar: true });
  await expect(unsupported).rejects.toThrow("does not support reading the log so far: use -f to follow it");
});

const refused: Reply = (response) => response.destroy();

test("a live log that cannot be reached is reported once, and the saved one read when the run has ended", async () => {
  const scene = { runs: [running, running, running, running, finished], live: [refused], backing: [whole] };
  const { read, problems, requests } = await play(scene);
  expect(read).toBe(text);
  expect(requests).toEqual(["live", "live", "backing"]);
  expect(problems).toEqual([
    expect.stringMatching(
      /^the live log of run 0, at http:\S+, cannot be reached from here: .+\. Its log will be printed when the run has ended\.$/,
    ),
  ]);
});

test("the log so far of a live log that cannot be reached is a plain error", async () => {
  const reading = play({ runs: [running], live: [refused] }, { soFar: true });
  await expect(reading).rejects.toThrow(
    /^the live log of run 0, at http:\S+, cannot be reached .*`taskyard task log -f \S+` prints the log when the run has ended\.$/,
  );
});

test("a log that was lost with its worker is reported with the reason", async () => {
  const resolved = "2026-01-31T12:20:00.000Z";
  const lost: Run = { ...running, state: "exception", reasonResolved: "claim-expired", resolved };
  const { read, problems } = await play({ runs: [running, lost], live: [broken(12), refused] });
  expect(read).toBe(text.slice(0, 12));
  expect(problems).toEqual(["no more of the log of run 0 was saved before the run ended (claim-expired)"]);
});

test("a run that does not exist is an error", async () => {
  await expect(play({ runs: [running] }, { runId: 3 })).rejects.toThrow(`${taskId} has no run 3`);
});

test("an abort rejects with the reason of the signal", async () => {
  const stop = new AbortController();
  const reason = new Error("enough");
  const stall: Reply = (response) => {
    response.write("x");
    stop.abort(reason);
  };
  await expect(play({ runs: [running], live: [stall] }, { signal: stop.signal })).rejects.toBe(reason);
});
