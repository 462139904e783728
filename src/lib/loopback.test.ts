import { expect, test } from "vitest";
import { isLoopback } from "./loopback.ts";

test.each(["localhost", "LocalHost", "app.localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])(
  "%s is the loopback interface",
  (host) => {
    expect(isLoopback(host)).toBe(true);
  },
);

test.each([
  "localhost.example.com",
  "notlocalhost",
  "127.0.0.1.example.com",
  "127.0.0",
  "127.0.0.1234",
  "0.0.0.0",
  "::",
  "::12",
  "10.127.0.0.1",
  "",
])("%j is not", (host) => {
  expect(isLoopback(host)).toBe(false);
});
