import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { manualClock } from "../../../../test/support/clock.ts";
import { testMonitor } from "../../../../test/support/monitor.ts";
import { checkHost, type HostRules } from "./check-host.ts";
import { createHttpServer } from "./server.ts";

/** Returns the port of a server with these rules. */
async function serverWith(rules: Partial<HostRules>): Promise<number> {
  const app = createHttpServer({
    keepAliveTimeoutMs: 1000,
    trustProxy: false,
    version: {},
    clock: manualClock(Date.now()),
    monitor: testMonitor().monitor,
  });
  checkHost(app, { listening: "127.0.0.1", rootUrl: undefined, names: [], ...rules });
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => app.close());
  return (app.server.address() as AddressInfo).port;
}

const statusFor = (port: number, host: string, path = "/__version__"): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, headers: { host } }, (reply) => {
      reply.resume();
      resolve(reply.statusCode);
    });
    sent.on("error", reject).end();
  });

const local = ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "app.localhost:3"];
const addresses = ["10.0.0.7:80", "[fe80::1]"];
const foreign = [
  "evil.example.com",
  "localhost.evil.example.com:8080",
  "127.0.0.1.evil.example.com",
  "127.evil.example.com",
  "x",
];

describe("a server on loopback", () => {
  test("has the names of the loopback interface and any address, on every path", async () => {
    const port = await serverWith({});
    for (const host of [...local, ...addresses])
      expect([host, await statusFor(port, host)]).toEqual([host, 200]);
    for (const host of foreign)
      for (const path of ["/__version__", "/no/such/path", "/robots.txt"])
        expect([host, await statusFor(port, host, path)]).toEqual([host, 421]);
  });

  test("also has the name of its root URL and those of its configuration", async () => {
    const port = await serverWith({ rootUrl: "https://CI.example.com/", names: ["Inner"] });
    for (const host of ["ci.example.com", "CI.example.com:444", "inner:80", "localhost"])
      expect([host, await statusFor(port, host)]).toEqual([host, 200]);
    expect(await statusFor(port, "example.com")).toBe(421);
  });
});

describe("a server for the network", () => {
  test("with a root URL has its name and those of the loopback interface", async () => {
    const port = await serverWith({ listening: "0.0.0.0", rootUrl: "https://ci.example.com" });
    for (const host of ["ci.example.com", ...local, ...addresses])
      expect([host, await statusFor(port, host)]).toEqual([host, 200]);
    for (const host of foreign) expect([host, await statusFor(port, host)]).toEqual([host, 421]);
  });

  test("without a root URL accepts every name", async () => {
    const port = await serverWith({ listening: "0.0.0.0" });
    for (const host of foreign) expect([host, await statusFor(port, host)]).toEqual([host, 200]);
  });
});

test("a request with two Host headers is refused, also with two equal ones", async () => {
  const port = await serverWith({ listening: "0.0.0.0" });
  for (const second of ["evil.example.com", "localhost"]) {
    const socket = connect(port, "127.0.0.1");
    socket.write(
      `GET /__version__ HTTP/1.1\r\nHost: localhost\r\nhost: ${second}\r\nConnection: close\r\n\r\n`,
    );
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [^]*more than one Host header/);
  }
});

test("the refusal names what would be right", async () => {
  const port = await serverWith({ rootUrl: "https://ci.example.com" });
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n");
  expect(await text(socket)).toContain(
    'This server does not have the name \\"evil.example.com\\". Its names are localhost, ci.example.com and its addresses.',
  );
});
