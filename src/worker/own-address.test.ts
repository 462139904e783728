import { networkInterfaces } from "node:os";
import { expect, it } from "vitest";
import { onlyIf } from "../../test/support/only-if.ts";
import { ownAddress } from "./own-address.ts";

it.each(["http://localhost:8080", "http://127.0.0.1", "http://[::1]:8080", "https://no-such-host.invalid"])(
  "is the loopback address for %s",
  async (rootUrl) => {
    expect(await ownAddress(rootUrl)).toBe("127.0.0.1");
  },
);

const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
const outside = own.filter(({ family, internal }) => family === "IPv4" && !internal);
it(
  "is the address of the interface by which the server is reached",
  onlyIf(outside.length > 0, "the machine has no network"),
  async () => {
    for (const { address } of outside) expect(await ownAddress(`http://${address}:8080`)).toBe(address);
  },
);
