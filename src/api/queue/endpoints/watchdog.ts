// The method that lists the checks and findings of the watchdog.
import { endpoint } from "../../endpoint.ts";
import { watchdogFile } from "../watchdog.ts";
import { page } from "./params.ts";

export const watchdogEndpoints = {
  watchdog: endpoint({
    method: "GET",
    path: "/watchdog",
    query: page,
    name: "watchdog",
    category: "Operations",
    stability: "experimental",
    title: "Get the findings of the watchdog",
    description:
      "The watchdog continuously checks invariants of the database. Returns its checks and their findings of the last seven days, in pages.",
    scopes: "queue:watchdog",
    reply: watchdogFile,
  }),
} as const;
