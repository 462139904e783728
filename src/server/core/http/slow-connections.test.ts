import { once } from "node:events";
import { connect, type AddressInfo, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import Fastify from "fastify";
import { describe, expect, it, type TestContext } from "vitest";
import { endSlowConnections } from "./slow-connections.ts";

// In real time, since sockets have no other timers: the pauses are those of a slow client or handler, and longer than several
// checks. The tests wait together. Long enough that a busy machine does not look like a slow client.
const INTERVAL_MS = 500;
const LARGE = "x".repeat(20_000_000);

/** Connects to a server whose route `/slow` replies long after it has received the body. */
async function connection({ onTestFinished }: TestContext): Promise<{ client: Socket; server: Socket }> {
  const app = Fastify();
  endSlowConnections(app, { intervalMs: INTERVAL_MS, leastBytes: 1000, unreadMs: INTERVAL_MS });
  app.post("/slow", async ({ body }) => {
    await setTimeout(3 * INTERVAL_MS);
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
  return { client, server };
}

const head = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
const getLarge = "GET /large HTTP/1.1\r\nhost: x\r\n\r\n";

describe.concurrent("slow connections", () => {
  it("a connection whose body stalls is closed", async (context) => {
    const { client, server } = await connection(context);
    client.resume().write(`${head("/slow", 10)}{"`);
    await once(server, "close");
    expect(server.bytesWritten).toBe(0);
  });

  it("a connection whose body arrives byte by byte is closed", async (context) => {
    const { client, server } = await connection(context);
    client.resume().write(head("/slow", 1_000_000));
    let sent = 0;
    const drip = setInterval(() => void (client.writable && client.write("1") && sent++), 20);
    context.onTestFinished(() => clearInterval(drip));
    await once(server, "close");
    expect(sent).toBeGreaterThan(5);
  });

  it("a body may take many intervals if it does not stop", async (context) => {
    const { client } = await connection(context);
    const size = 20_000;
    client.write(`${head("/slow", size)}"`);
    for (let sent = 2; sent < size; sent += 2000) {
      await setTimeout(INTERVAL_MS / 4);
      client.write("x".repeat(Math.min(2000, size - sent)));
    }
    client.write('"');
    const [reply] = (await once(client, "data")) as [Buffer];
    expect(String(reply)).toContain("200 OK");
  });

  it("a reply may take longer to produce, and the connection stays usable", async (context) => {
    const { client } = await connection(context);
    for (const path of ["/slow", "/nowhere", "/slow"]) {
      client.write(head(path, 2));
      client.write("{}");
      const [reply] = (await once(client, "data")) as [Buffer];
      expect(String(reply)).toContain(path === "/slow" ? '{"body":{}}' : "404 Not Found");
    }
    expect(client.destroyed).toBe(false);
  });

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
      await setTimeout(5);
    }
    expect(server.bytesWritten).toBeGreaterThanOrEqual(LARGE.length);
  });
});
