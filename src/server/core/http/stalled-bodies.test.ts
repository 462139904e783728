import { once } from "node:events";
import { connect, type AddressInfo, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import Fastify from "fastify";
import { expect, it, onTestFinished } from "vitest";
import { endStalledBodies } from "./stalled-bodies.ts";

// Of real time, since the timers of sockets know no other; so long that a busy machine is not taken for a silent client.
const SILENCE = 500;

/** A connection to a server whose route `/slow` takes its time once it has the body. */
async function connection(): Promise<Socket> {
  const app = Fastify();
  endStalledBodies(app, SILENCE);
  app.post("/slow", async ({ body }) => {
    await setTimeout(2 * SILENCE);
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

it("a connection whose body does not go on is closed", async () => {
  const socket = await connection();
  const begun = performance.now();
  socket.resume().write(`${head("/slow", 10)}{"`);
  await once(socket, "close");
  expect(performance.now() - begun).toBeGreaterThanOrEqual(SILENCE - 5);
});

it("an answer may take longer than that, and the connection serves on", async () => {
  const socket = await connection();
  for (const path of ["/slow", "/nowhere", "/slow"]) {
    socket.write(head(path, 2));
    socket.write("{}");
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(String(answer)).toContain(path === "/slow" ? '{"body":{}}' : "404 Not Found");
  }
  expect(socket.destroyed).toBe(false);
});
