// The default access of a server that `taskyard up` starts.
import type { Config } from "./config/index.ts";
import type { Access } from "./core/config/core-settings.ts";
import { isLoopback } from "./core/http/loopback.ts";

/**
 * Returns the access of a local server. Without a setting, results are public if only this machine reaches it. A root URL or
 * a proxy means that others do, whatever the address that it listens on.
 */
export function localAccess({
  access,
  server: { host, rootUrl, trustProxy },
}: Pick<Config, "access" | "server">): Access {
  return access ?? (isLoopback(host) && rootUrl === undefined && !trustProxy ? "results" : "closed");
}
