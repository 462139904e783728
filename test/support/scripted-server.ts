// An HTTP server that answers what a test says, one answer after the other, and remembers what it was asked.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface AskedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Settles when the connection of the answer is gone, or the answer has ended. */
  readonly closed: Promise<unknown>;
}

/** Answers one request. */
export type Answer = (response: ServerResponse, request: AskedRequest) => void;

export interface ScriptedServer {
  readonly rootUrl: string;
  readonly port: number;
  readonly requests: AskedRequest[];
  close(): Promise<void>;
}

/** Starts it for one test; the last answer is repeated. */
export async function scriptedServer(...answers: readonly [...Answer[], Answer]): Promise<ScriptedServer> {
  const requests: AskedRequest[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      const { method = "", url = "", headers } = request;
      const asked = { method, url, headers, body, closed: once(response, "close") };
      requests.push(asked);
      const answer = answers[Math.min(requests.length, answers.length) - 1];
      answer?.(response, asked);
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens on a port has an address of this form.
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

/** An answer of JSON. */
export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response
      .writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers })
      .end(JSON.stringify(body));

/** Begins a stream of server-sent events with frames, each given as `id event data`, and leaves it open. */
export const eventStream =
  (...frames: readonly string[]): Answer =>
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const frame of frames) {
      const [id, event, ...data] = frame.split(" ");
      response.write(`id: ${id}\nevent: ${event}\ndata: ${data.join(" ") || "{}"}\n\n`);
    }
  };
