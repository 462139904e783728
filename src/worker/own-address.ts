// The address of this machine by which other machines of the server's network can most likely reach it.
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";

const loopback = "127.0.0.1";

/**
 * Returns the local address of the route to the server, or 127.0.0.1 if there is none. Connecting a datagram socket selects
 * the route and sends nothing.
 */
export async function ownAddress(rootUrl: string): Promise<string> {
  const { hostname, port, protocol } = new URL(rootUrl);
  try {
    const { address, family } = await lookup(hostname.replace(/^\[(.*)\]$/, "$1"));
    const socket = createSocket(family === 6 ? "udp6" : "udp4");
    try {
      socket.connect(Number(port) || (protocol === "https:" ? 443 : 80), address);
      await once(socket, "connect");
      const own = socket.address().address;
      return own === "::1" ? loopback : own;
    } finally {
      socket.close();
    }
  } catch {
    // The server cannot be reached now. It may be reachable later, but then by an address that is not known now.
    return loopback;
  }
}
