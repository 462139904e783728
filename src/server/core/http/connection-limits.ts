// Limits the connections of a server, in all and from each address.
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { counted } from "../../../lib/counted.ts";
import { createTally } from "../tally.ts";
import { retryAfter } from "./retry-after.ts";

export interface ConnectionLimits {
  readonly all: number;
  /** Undefined if all connections come through a proxy. */
  readonly perAddress: number | undefined;
}

/** Makes a server refuse further connections with a 503. Call it before anything else listens for connections. */
export function limitConnections({ server }: FastifyInstance, { all, perAddress }: ConnectionLimits): void {
  const open = createTally();
  const accept = server.listeners("connection");
  // Node's own listener must not see a refused connection: it would read the request and serve it.
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const address = networkOf(socket.remoteAddress ?? "");
    if (open.total >= all)
      return refuse(socket, `This server has ${counted(all, "open connection")}, which is the maximum.`);
    if (perAddress !== undefined && open.of(address) >= perAddress)
      return refuse(
        socket,
        `${address} has ${counted(perAddress, "open connection")} to this server, which is the maximum. Close some or reuse them.`,
      );
    open.add(address, 1);
    socket.once("close", () => open.add(address, -1));
    for (const listener of accept) Reflect.apply(listener, server, [socket]);
  });
}

/** How long a refused connection may take to receive the reply. */
const REFUSAL_MS = 1_000;

/** Connections that are idle are closed after a few seconds, and so a place is likely to be free. */
const retrySeconds = retryAfter({ statusCode: 503, retryAfterMs: 5_000 });

function refuse(socket: Socket, message: string): void {
  socket.on("error", () => undefined);
  socket.setTimeout(REFUSAL_MS, () => socket.destroy());
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: ${retrySeconds}\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    // Not before: closing with unread input would discard the reply.
    () => socket.resume(),
  );
}

/** Returns an IPv4 address, or the network of an IPv6 address: one machine has 2^64 addresses there. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = address.split("::", 2);
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - groups.length - rest.length;
  return `${[...groups, ...Array.from({ length: zeros }, () => "0"), ...rest].slice(0, 4).join(":")}::/64`;
}
