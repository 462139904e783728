// A forward proxy as in company networks: clients name it in HTTP_PROXY. It sends everything to one server, whatever host is
// requested, so that tests can use hosts that only the proxy knows.
import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { connect, type AddressInfo } from "node:net";

export interface ForwardProxy {
  readonly url: string;
  /** Method and URL of each request, and `CONNECT host:port` of each tunnel. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

export async function forwardProxy(target: string): Promise<ForwardProxy> {
  const { port } = new URL(target);
  const requests: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    // A request to a proxy names the whole URL.
    if (!URL.canParse(incoming.url ?? "")) {
      outgoing.writeHead(400).end("not a request to a proxy");
      return;
    }
    const { pathname, search } = new URL(incoming.url ?? "");
    const onward = httpRequest(
      {
        host: "127.0.0.1",
        port,
        method: incoming.method,
        path: pathname + search,
        headers: incoming.headers,
      },
      (reply) => {
        outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(outgoing);
      },
    );
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  proxy.on("connect", (request, near) => {
    requests.push(`CONNECT ${request.url}`);
    const far = connect(Number(port), "127.0.0.1", () => near.write("HTTP/1.1 200 OK\r\n\r\n"));
    near.pipe(far).pipe(near);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const)
      socket.on("error", () => other.destroy());
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  // The address of a TCP server is an object.
  const { port: own } = proxy.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${own}`,
    requests,
    async close() {
      proxy.closeAllConnections();
      proxy.close();
      await once(proxy, "close");
    },
  };
}
