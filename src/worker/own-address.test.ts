import { networkInterfaces } from "node:os";
import { expect, it } from "vitest";
import { ownAddress } from "./own-address.ts";

it.each(["http://localhost:8080", "http://127.0.0.1", "http://[::1]:8080", "https://no-such-host.invalid"])(
  "is the loopback address for %s",
  async (rootUrl) => {
    expect(await ownAddress(rootUrl)).toBe("127.0.0.1");
  },
);

it("is the address of the interface by which the server is reached", async () => {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outside = own.filter(({ family, internal }) => family === "IPv4" && !internal);
  for (const { address } of outside) expect(await ownAddress(`http://${address}:8080`)).toBe(address);
});
