// What the watchdog looks at, and what it found: for operators.
import Type from "typebox";
import { endpoint } from "../endpoint.ts";
import { DateTime, exactly, named } from "../schema.ts";
import { page } from "./endpoints.ts";

const Check = exactly({
  name: Type.String(),
  means: Type.String({ description: "What always holds." }),
  repair: Type.Optional(Type.String({ description: "What is done where it does not." })),
  passed: Type.Optional(
    Type.String({ format: "date-time", description: "When everything was last looked at." }),
  ),
  open: Type.Integer({ minimum: 0, description: "Findings that are not over." }),
});

const Finding = exactly({
  check: Type.String(),
  subject: Type.String({ description: "An id, or several joined by slashes: taskId/runId." }),
  detail: Type.String(),
  firstSeen: DateTime,
  lastSeen: DateTime,
  repaired: Type.Optional(DateTime),
  ended: Type.Optional(Type.String({ format: "date-time", description: "When it was right again." })),
});

const Findings = exactly({
  checks: Type.Array(Check),
  findings: Type.Array(Finding),
  continuationToken: Type.Optional(Type.String()),
});

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
    reply: named("v1/watchdog-response.json", Findings),
  }),
} as const;
