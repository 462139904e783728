// Names and addresses of this machine's loopback interface.

/** Reports whether a name or an address, without a port, is that of the loopback interface. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}
