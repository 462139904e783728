// Who reaches a server, and the default access of one that `taskyard up` starts.
import { isLoopback } from "../lib/loopback.ts";
import type { Config } from "./config/index.ts";
import type { Access, CoreConfig } from "./core/config/core-settings.ts";

/**
 * Reports whether only this machine reaches a server. A root URL or a proxy means that others do, whatever the address that it
 * listens on.
 */
export const isOnlyLocal = ({ host, rootUrl, trustProxy }: CoreConfig["server"]): boolean =>
  isLoopback(host) && rootUrl === undefined && !trustProxy;

/** Returns the access of a local server. Without a setting, results are public if only this machine reaches it. */
export const localAccess = ({ access, server }: Pick<Config, "access" | "server">): Access =>
  access ?? (isOnlyLocal(server) ? "results" : "closed");
