import { once } from "node:events";
import { Agent, request, type IncomingMessage } from "node:http";
import { connect, type AddressInfo } from "node:net";
import Fastify from "fastify";
import { expect, it, onTestFinished } from "vitest";
import { limitPipelining } from "./pipelining.ts";

async function server(most: number) {
  const app = Fastify();
  limitPipelining(app, most);
  const served: string[] = [];
  app.get("/:id", async (incoming) => {
    served.push(incoming.url);
    return `served ${incoming.url}.`;
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => app.close());
  // A server that listens on TCP has an address of this kind.
  const { port } = app.server.address() as AddressInfo;
  return { port, served };
}

it("of many requests that arrive together, a connection serves the first ones, and is closed after them", async () => {
  const { port, served } = await server(3);
  const socket = connect(port, "127.0.0.1");
  const ids = Array.from({ length: 50 }, (_, i) => `/${i}`);
  socket.write(ids.map((id) => `GET ${id} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""));
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  expect(text.match(/served \/\d+\./g)).toEqual(["served /0.", "served /1.", "served /2."]);
  expect(text.match(/connection: [\w-]+/gi)).toEqual([
    "Connection: keep-alive",
    "Connection: keep-alive",
    "connection: close",
  ]);
  expect(served).toEqual(["/0", "/1", "/2"]);
});

it("a connection whose requests come one after the other serves any number", async () => {
  const { port } = await server(2);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const sockets = new Set<unknown>();
  for (let i = 0; i < 20; i++) {
    const sent = request({ port, host: "127.0.0.1", path: `/${i}`, agent }).end();
    // The event has this argument.
    const [reply] = (await once(sent, "response")) as [IncomingMessage];
    sockets.add(sent.socket);
    await once(reply.resume(), "end");
  }
  expect(sockets.size).toBe(1);
});
