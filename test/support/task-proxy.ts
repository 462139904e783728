// A proxy that signs requests with the credentials of a task, as generic-worker has one for its tasks.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Credentials } from "../../src/client/index.ts";
import { createSigner } from "../../src/client/signer.ts";

export interface TaskProxy {
  readonly url: string;
  close(): void;
}

/** Starts the proxy in front of a server. */
export async function taskProxy(
  rootUrl: string,
  credentials: () => Promise<Credentials>,
): Promise<TaskProxy> {
  const server = createServer((request, response) => {
    const { method = "GET", url = "/" } = request;
    const target = rootUrl + url;
    const forward = async (): Promise<void> => {
      const authorization = await createSigner(await credentials()).header(method, target, Date.now());
      const reply = await fetch(target, { method, headers: { authorization } });
      response.writeHead(reply.status).end(await reply.text());
    };
    forward().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // It listens on TCP, so its address is no path.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
