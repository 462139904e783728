// The method that lists what the watchdog found.
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
    title: "What the watchdog found",
    description:
      "The watchdog looks all the time whether what is always true of the database still is. Answers its checks, and what they found in the last seven days, a page at a time.",
    scopes: "queue:watchdog",
    reply: watchdogFile,
  }),
} as const;
