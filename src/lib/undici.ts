// Loads the package undici. Everything that sends requests with it gets it from here.
import type * as Undici from "undici";

/**
 * Loads the package without an effect on the global `fetch`. The package and Node's own copy of it share the global dispatcher,
 * which is that of the first one loaded. `fetch` of Node 20 with the dispatcher of the package sends an explicit Content-Length
 * twice and then fails with "invalid content-length header". Node loads its copy on the first use of one of its classes.
 */
export function loadUndici(): Promise<typeof Undici> {
  void globalThis.Response;
  return import("undici");
}
