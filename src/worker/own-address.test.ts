import { networkInterfaces } from "node:os";
import { expect, it } from "vitest";
import { startFakeQueue } from "../../test/support/fake-queue.ts";
import { onlyIf } from "../../test/support/only-if.ts";
import { startTestWorker } from "../../test/support/worker.ts";
import { ownAddress } from "./own-address.ts";

it.each(["http://localhost:8080", "http://127.0.0.1", "http://[::1]:8080", "https://no-such-host.invalid"])(
  "is the loopback address for %s",
  async (rootUrl) => {
    expect(await ownAddress(rootUrl)).toBe("127.0.0.1");
  },
);

const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
const outside = own.filter(({ family, internal }) => family === "IPv4" && !internal);
const withNetwork = onlyIf(outside.length > 0, "the machine has no network");

it("is the address of the interface by which the server is reached", withNetwork, async () => {
  for (const { address } of outside) expect(await ownAddress(`http://${address}:8080`)).toBe(address);
});

it("is where a worker serves the logs of running tasks", withNetwork, async () => {
  const host = outside[0]?.address ?? "";
  const queue = await startFakeQueue({ host });
  const worker = await startTestWorker(queue.rootUrl);
  const features = { backingLog: false };
  const taskId = queue.submit({ command: [["true"]], maxRunTime: 60, features });
  await queue.resolved(taskId);
  await worker.end();
  await queue.close();
  const request = queue.artifact(taskId, "public/logs/live.log")?.request;
  expect(new URL(request?.storageType === "reference" ? request.url : "").hostname).toBe(host);
});
