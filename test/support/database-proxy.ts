// A proxy in front of the database, so that a test can cut connections or freeze them silently.
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import pg from "pg";

export interface DatabaseProxy {
  /** URL of the database through the proxy. */
  url: string;
  /** Drops all data from now on, on existing and new connections, without closing any. */
  freeze(): void;
  /** Ends every connection, and forwards the data of new ones again. */
  thaw(): void;
  /** Ends every connection. */
  cut(): void;
  close(): Promise<void>;
}

export async function databaseProxy(url: string): Promise<DatabaseProxy> {
  // node-postgres parses every form of the URL. This client never connects.
  const { host, port, user, database, password } = new pg.Client({ connectionString: url });
  const sockets = new Set<Socket>();
  let frozen = false;
  const proxy = createServer((near) => {
    const far = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => frozen || to.write(chunk));
      from.on("end", () => frozen || to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => sockets.delete(from));
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  // The address of a TCP server is an object.
  const { port: own } = proxy.address() as AddressInfo;
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    url: `postgres://${user}:${encodeURIComponent(password ?? "")}@127.0.0.1:${own}/${database}`,
    freeze: () => (frozen = true),
    thaw() {
      cut();
      frozen = false;
    },
    cut,
    async close() {
      cut();
      proxy.close();
      await once(proxy, "close");
    },
  };
}
