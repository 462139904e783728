// Connections beyond a limit are closed with a reply that says why.
import { once } from "node:events";
import { connect, type AddressInfo, type Socket } from "node:net";
import Fastify from "fastify";
import { expect, it, onTestFinished } from "vitest";
import { until } from "../../../../test/support/until.ts";
import { limitConnections, networkOf, type ConnectionLimits } from "./connection-limits.ts";

async function server(limits: ConnectionLimits): Promise<() => Promise<Socket>> {
  const app = Fastify();
  limitConnections(app, limits);
  app.get("/", () => "served");
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => app.close());
  // A server that listens on TCP has an address of this kind.
  const { port } = app.server.address() as AddressInfo;
  return async () => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    return socket;
  };
}

/** Sends a request and returns everything that is received until the connection is closed. */
async function replyOn(socket: Socket): Promise<string> {
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

it("a connection beyond those of its address is refused, until another one is closed", async () => {
  const open = await server({ all: 10, perAddress: 2 });
  const [first] = await Promise.all([open(), open()]);
  const refusal = await replyOn(await open());
  expect(refusal).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n/);
  expect(refusal).toContain("127.0.0.1 has 2 open connections to this server, which is the maximum.");
  first.destroy();
  await until("the server to have noticed", async () => (await replyOn(await open())).includes("served"));
});

it("a connection beyond those of the server is refused", async () => {
  const open = await server({ all: 1, perAddress: undefined });
  await open();
  expect(await replyOn(await open())).toContain("This server has 1 open connection, which is the maximum.");
});

it("addresses are counted by machine", () => {
  const networks = [
    "10.1.2.3",
    "::ffff:10.1.2.3",
    "::1",
    "2001:db8:1:2:3:4:5:6",
    "2001:db8:1:2::7",
    "2001:db8::7",
  ];
  expect(networks.map(networkOf)).toEqual([
    "10.1.2.3",
    "10.1.2.3",
    "0:0:0:0::/64",
    "2001:db8:1:2::/64",
    "2001:db8:1:2::/64",
    "2001:db8:0:0::/64",
  ]);
});
