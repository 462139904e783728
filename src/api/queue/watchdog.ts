// The checks and findings of the watchdog.
import Type from "typebox";
import { DateTime, exactly, named } from "../schema.ts";

const Check = exactly({
  name: Type.String(),
  means: Type.String({ description: "The invariant that the check verifies." }),
  repair: Type.Optional(Type.String({ description: "How a violation is repaired." })),
  passed: Type.Optional(
    Type.String({ format: "date-time", description: "When the last complete check ended." }),
  ),
  open: Type.Integer({ minimum: 0, description: "The number of findings that have not ended." }),
});

const Finding = exactly({
  check: Type.String(),
  subject: Type.String({ description: "An id, or several ids separated by slashes, such as taskId/runId." }),
  detail: Type.String(),
  firstSeen: DateTime,
  lastSeen: DateTime,
  repaired: Type.Optional(DateTime),
  ended: Type.Optional(Type.String({ format: "date-time", description: "When the violation ended." })),
});

const Findings = exactly({
  checks: Type.Array(Check),
  findings: Type.Array(Finding),
  continuationToken: Type.Optional(Type.String()),
});

export const watchdogFile = named("v1/watchdog-response.json", Findings);
