// A proxy in front of a server, so that a test can cut connections.
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface HttpProxy {
  readonly rootUrl: string;
  /** Ends every open connection and returns their number. New ones are accepted. */
  cut(): number;
  /** Loses the reply to the next request that contains the text: the server has handled it. Resolves when that has happened. */
  loseReply(text: string): Promise<void>;
  close(): Promise<void>;
}

export async function httpProxy(rootUrl: string): Promise<HttpProxy> {
  const { hostname, port } = new URL(rootUrl);
  const sockets = new Set<Socket>();
  let doomed: { readonly text: string; readonly lost: () => void } | undefined;
  const proxy = createServer((near) => {
    const far = connect(Number(port), hostname);
    near.on("data", (chunk) => {
      const found = doomed;
      if (found === undefined || !chunk.includes(found.text)) return;
      doomed = undefined;
      far.unpipe(near);
      far.once("data", () => {
        near.destroy();
        found.lost();
      });
      // It has paused when the pipe was removed.
      far.resume();
    });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  // The address of a TCP server is an object.
  const { port: own } = proxy.address() as AddressInfo;
  const cut = (): number => {
    const count = sockets.size;
    sockets.forEach((socket) => socket.destroy());
    return count;
  };
  return {
    rootUrl: `http://127.0.0.1:${own}`,
    cut,
    loseReply: (text) => new Promise((resolve) => (doomed = { text, lost: resolve })),
    async close() {
      cut();
      proxy.close();
      await once(proxy, "close");
    },
  };
}
