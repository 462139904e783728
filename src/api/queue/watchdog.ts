// What the watchdog looks at, and what it found: for operators.
import Type from "typebox";
import { DateTime, exactly, named } from "../schema.ts";

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

export const watchdogFile = named("v1/watchdog-response.json", Findings);
