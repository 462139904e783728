// An HTTP server that sends the replies of a test in order, and records the requests.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Settles when the reply has ended or its connection is closed. */
  readonly closed: Promise<unknown>;
}

/** Replies to one request. */
export type Reply = (response: ServerResponse, request: ReceivedRequest) => void;

export interface ScriptedServer {
  readonly rootUrl: string;
  readonly port: number;
  readonly requests: ReceivedRequest[];
  close(): Promise<void>;
}

/** Starts a server for one test. The last reply is repeated. */
export async function scriptedServer(...replies: readonly [...Reply[], Reply]): Promise<ScriptedServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      const { method = "", url = "", headers } = request;
      const received = { method, url, headers, body, closed: once(response, "close") };
      requests.push(received);
      const reply = replies[Math.min(requests.length, replies.length) - 1];
      reply?.(response, received);
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // The address of a TCP server is an object.
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  onTestFinished(close);
  return { rootUrl: `http://127.0.0.1:${port}`, port, requests, close };
}

/** Replies with JSON. */
export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Reply =>
  (response) =>
    response
      .writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers })
      .end(JSON.stringify(body));

/** Starts a stream of server-sent events with frames, each written as `id event data`, and leaves it open. */
export const eventStream =
  (...frames: readonly string[]): Reply =>
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const frame of frames) {
      const [id, event, ...data] = frame.split(" ");
      response.write(`id: ${id}\nevent: ${event}\ndata: ${data.join(" ") || "{}"}\n\n`);
    }
  };
