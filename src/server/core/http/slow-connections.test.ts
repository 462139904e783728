import { EventEmitter, once } from "node:events";
import { connect, type AddressInfo, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import Fastify from "fastify";
import { describe, expect, it, type TestContext } from "vitest";
import { manualClock, type ManualClock } from "../../../../test/support/clock.ts";
import { until } from "../../../../test/support/until.ts";
import { endSlowConnections } from "./slow-connections.ts";

const INTERVAL_MS = 1000;
const LEAST_BYTES = 1000;
const LARGE = "x".repeat(20_000_000);

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  readonly clock: ManualClock;
  /** Resolves when the handler of `/slow` has the body. */
  readonly handling: () => Promise<unknown>;
  /** Lets that handler reply. */
  readonly reply: () => void;
  /** Sends bytes and waits until the server has them. */
  readonly send: (text: string) => Promise<void>;
}

/** Connects to a server whose route `/slow` replies when the test says so. */
async function connection({ onTestFinished }: TestContext): Promise<Connection> {
  const app = Fastify();
  const clock = manualClock();
  const handler = new EventEmitter();
  endSlowConnections(app, { intervalMs: INTERVAL_MS, leastBytes: LEAST_BYTES, unreadMs: 500, clock });
  app.post("/slow", async ({ body }) => {
    const replied = once(handler, "reply");
    handler.emit("handling");
    await replied;
    return { body };
  });
  app.get("/large", () => LARGE);
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => app.close());
  const connected = once(app.server, "connection") as Promise<[Socket]>;
  // A server that listens on TCP has an address of this kind.
  const client = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => undefined);
  onTestFinished(() => void client.destroy());
  const [server] = await connected;
  let sent = 0;
  return {
    client,
    server,
    clock,
    handling: () => once(handler, "handling"),
    reply: () => void handler.emit("reply"),
    async send(text) {
      client.write(text);
      sent += text.length;
      await until("the server has read it", async () => server.bytesRead >= sent);
    },
  };
}

const head = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
const getLarge = "GET /large HTTP/1.1\r\nhost: x\r\n\r\n";

describe.concurrent("slow connections", () => {
  it("a connection whose body stalls is closed at the second check", async (context) => {
    const { client, server, clock, send } = await connection(context);
    client.resume();
    await send(`${head("/slow", 10)}{"`);
    await clock.advance(INTERVAL_MS);
    expect(server.destroyed).toBe(false);
    await clock.advance(INTERVAL_MS);
    expect([server.destroyed, server.bytesWritten]).toEqual([true, 0]);
  });

  it("a connection whose body arrives too slowly is closed", async (context) => {
    const { client, server, clock, send } = await connection(context);
    client.resume();
    await send(head("/slow", 1_000_000));
    await clock.advance(INTERVAL_MS);
    await send("1".repeat(LEAST_BYTES));
    await clock.advance(INTERVAL_MS);
    expect(server.destroyed).toBe(false);
    await send("1".repeat(LEAST_BYTES - 1));
    await clock.advance(INTERVAL_MS);
    expect(server.destroyed).toBe(true);
  });

  it("a reply may take longer to produce, and the connection stays usable", async (context) => {
    const { client, clock, send, handling, reply } = await connection(context);
    for (const path of ["/slow", "/nowhere", "/slow"]) {
      const started = path === "/slow" ? handling() : undefined;
      const data = once(client, "data") as Promise<[Buffer]>;
      await send(head(path, 2));
      await send("{}");
      await started;
      await clock.advance(3 * INTERVAL_MS);
      reply();
      expect(String((await data)[0])).toContain(path === "/slow" ? '{"body":{}}' : "404 Not Found");
    }
    expect(client.destroyed).toBe(false);
  });

  // In real time, which sockets use. Long enough that a busy machine does not look like a slow client.
  it("a connection whose peer does not read its reply is closed", async (context) => {
    const { client, server } = await connection(context);
    client.pause().write(getLarge);
    await once(server, "close");
    expect(server.bytesWritten).toBeGreaterThan(LARGE.length);
  });

  it("a reply may take many intervals if its peer keeps reading", async (context) => {
    const { client, server } = await connection(context);
    client.write(getLarge);
    let received = 0;
    for await (const bytes of client as AsyncIterable<Buffer>) {
      received += bytes.length;
      if (received >= LARGE.length) break;
      // A peer that reads slowly: the limit counts real time, so the reply has to take some.
      await setTimeout(5);
    }
    expect(server.bytesWritten).toBeGreaterThanOrEqual(LARGE.length);
  });
});
