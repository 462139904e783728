// Replies that are not read are closed when they take too much memory together, the oldest first.
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import Fastify from "fastify";
import { expect, it, onTestFinished } from "vitest";
import { limitUnreadReplies } from "./reply-memory.ts";

const LENGTH = 20_000_000;

it("the oldest of too many replies that nobody reads are closed; the newest can be read", async () => {
  const app = Fastify();
  limitUnreadReplies(app, 2.5 * LENGTH);
  app.get("/", () => "x".repeat(LENGTH));
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const open = async (): Promise<IncomingMessage> => {
    const sent = request({ port, agent: false }).on("error", () => undefined);
    sent.end();
    const [reply] = (await once(sent, "response")) as [IncomingMessage];
    return reply;
  };
  const replies: IncomingMessage[] = [];
  for (let i = 0; i < 4; i++) replies.push(await open());
  const read = async (reply: IncomingMessage): Promise<number> => {
    let length = 0;
    try {
      for await (const chunk of reply) length += (chunk as Buffer).length;
    } catch {
      // The connection was closed in the middle.
    }
    return length;
  };
  const lengths = await Promise.all(replies.map(read));
  expect(lengths.map((length) => length === LENGTH)).toEqual([false, false, true, true]);
  // Replies that were read or closed do not count any more.
  const later = [await open(), await open()];
  expect(await Promise.all(later.map(read))).toEqual([LENGTH, LENGTH]);
});
