import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { testMonitor } from "../../../test/support/monitor.ts";
import { createMonitor } from "./monitor.ts";
import { sentrySink } from "./monitor-sentry.ts";

interface Received {
  readonly path: string;
  readonly lines: Record<string, unknown>[];
}

let server: Server | undefined;
afterEach(() => server?.close());

/** Starts a server that accepts envelopes as Sentry does: JSON separated by newlines. */
async function fakeSentry(status: number): Promise<{ dsn: string; received: Received[] }> {
  const received: Received[] = [];
  server = createServer(async (request, response) => {
    const body = await text(request);
    received.push({
      path: request.url ?? "",
      lines: body
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    });
    response.writeHead(status).end("{}");
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { dsn: `http://publickey@127.0.0.1:${address.port}/42`, received };
}

describe("sentrySink", () => {
  it("sends an incident with its stack, tags and id to the project of the DSN", async () => {
    const { dsn, received } = await fakeSentry(200);
    const { monitor: quiet, records } = testMonitor();
    const sink = sentrySink({ dsn, release: "1.2.3", log: quiet.log });
    const monitor = createMonitor({ log: quiet.log, metrics: quiet.metrics, sink });
    const incidentId = monitor
      .child({ prefix: "queue", tags: { taskId: "abc" } })
      .reportError(new TypeError("broken"));
    await sink.close(5000);

    expect(received.map(({ path }) => path.split("?")[0])).toEqual(["/api/42/envelope/"]);
    const [, item, event] = received[0]?.lines ?? [];
    expect(item).toMatchObject({ type: "event" });
    expect(event).toMatchObject({
      event_id: incidentId.replaceAll("-", ""),
      level: "error",
      release: "1.2.3",
      platform: "node",
      tags: { prefix: "queue", taskId: "abc", incidentId },
      exception: { values: [{ type: "TypeError", value: "broken" }] },
    });
    expect(JSON.stringify(event)).toContain("monitor-sentry.test.ts");
    expect(records.filter(({ level }) => level === "warn")).toEqual([]);
  });

  it("logs that a report was refused", async () => {
    const { dsn } = await fakeSentry(500);
    const { monitor, records } = testMonitor();
    const sink = sentrySink({ dsn, log: monitor.log });
    sink.send(new Error("x"), { incidentId: crypto.randomUUID(), prefix: "", tags: {} });
    await sink.close(5000);
    expect(records).toEqual([
      expect.objectContaining({ status: 500, msg: "Sentry refused an error report" }),
    ]);
  });

  it("logs that Sentry cannot be reached, and does not fail", async () => {
    const { dsn } = await fakeSentry(200);
    await new Promise((resolve) => server?.close(resolve));
    const { monitor, records } = testMonitor();
    const sink = sentrySink({ dsn, log: monitor.log });
    sink.send(new Error("x"), { incidentId: crypto.randomUUID(), prefix: "", tags: {} });
    await sink.close(5000);
    expect(records).toEqual([
      expect.objectContaining({ msg: "an error report could not be sent to Sentry" }),
    ]);
  });
});
