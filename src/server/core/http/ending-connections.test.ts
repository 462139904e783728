import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { tinyServer } from "../../../../test/support/tiny-server.ts";
import { until } from "../../../../test/support/until.ts";

it("a server that stops replies to open requests, and then waits for no connection", async () => {
  const { app, listen } = tinyServer();
  app.get("/slow", async () => {
    begin();
    await released;
    return "finished";
  });
  let begin: () => void = () => undefined;
  let release: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  const port = await listen();
  const unused = connect(port, "127.0.0.1");
  const ended = once(unused, "close");
  await once(unused, "connect");
  const pending = fetch(`http://127.0.0.1:${port}/slow`);
  await begun;
  const closed = app.close();
  await ended;
  release();
  const reply = await pending;
  expect([await reply.text(), reply.headers.get("connection")]).toEqual(["finished", "close"]);
  await closed;
});

it("a server that stops closes a connection when its reply, sent in part before the stop, ends", async () => {
  const { app, listen } = tinyServer();
  const body = new PassThrough();
  app.get("/stream", { compress: false }, (_request, reply) => reply.send(body));
  const port = await listen();
  const unused = connect(port, "127.0.0.1");
  const ended = once(unused, "close");
  body.write("begun, ");
  const reply = await fetch(`http://127.0.0.1:${port}/stream`);
  expect(reply.headers.get("connection")).toBe("keep-alive");
  const closed = app.close();
  await ended;
  await new Promise(setImmediate);
  body.end("done");
  expect(await reply.text()).toBe("begun, done");
  await closed;
});

it("a request that arrives during the stop is refused in the format of all errors, to be repeated", async () => {
  const { app, listen } = tinyServer();
  const accepted = once(app.server, "connection");
  const socket = connect(await listen(), "127.0.0.1").setEncoding("utf8");
  const [atServer] = (await accepted) as [Socket];
  let received = "";
  socket.on("data", (text: string) => (received += text));
  const request = "GET /__lbheartbeat__ HTTP/1.1\r\nHost: localhost\r\n";
  socket.write(`${request}\r\n`);
  await until("the first reply", async () => received.endsWith("{}"));
  // A connection with half of a request is not idle, so it stays open.
  socket.write(request);
  await until("the server to have read it", async () => atServer.bytesRead === 2 * request.length + 2);
  const closed = app.close();
  await until("the server to stop accepting connections", async () => !app.server.listening);
  received = "";
  socket.write("\r\n");
  await once(socket, "close");
  expect(received).toMatch(/^HTTP\/1\.1 503 .*\r\nconnection: close\r\n.*\r\nretry-after: 1\r\n/is);
  expect(received).toContain(
    '"code":"ServiceUnavailable","message":"This server is stopping. Repeat the request',
  );
  await closed;
});
