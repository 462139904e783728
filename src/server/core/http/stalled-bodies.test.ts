import { once } from "node:events";
import { connect, type AddressInfo, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import Fastify from "fastify";
import { expect, it, onTestFinished } from "vitest";
import { endStalledBodies } from "./stalled-bodies.ts";

// In real time, since sockets have no other timers. Long enough that a busy machine does not look like a stalled client.
const INACTIVITY_MS = 500;

/** Connects to a server whose route `/slow` replies long after it has received the body. */
async function connection(): Promise<Socket> {
  const app = Fastify();
  endStalledBodies(app, INACTIVITY_MS);
  app.post("/slow", async ({ body }) => {
    await setTimeout(2 * INACTIVITY_MS);
    return { body };
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => app.close());
  // A server that listens on TCP has an address of this kind.
  const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  return socket;
}

const head = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

it("a connection whose body stalls is closed", async () => {
  const socket = await connection();
  const start = performance.now();
  socket.resume().write(`${head("/slow", 10)}{"`);
  await once(socket, "close");
  expect(performance.now() - start).toBeGreaterThanOrEqual(INACTIVITY_MS - 5);
});

it("a reply may take longer than the timeout, and the connection stays usable", async () => {
  const socket = await connection();
  for (const path of ["/slow", "/nowhere", "/slow"]) {
    socket.write(head(path, 2));
    socket.write("{}");
    const [reply] = (await once(socket, "data")) as [Buffer];
    expect(String(reply)).toContain(path === "/slow" ? '{"body":{}}' : "404 Not Found");
  }
  expect(socket.destroyed).toBe(false);
});
