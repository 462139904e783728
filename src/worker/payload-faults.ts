// Finds what a worker would refuse in a payload, before a task with it is created.
import type { TaskDefinition } from "../api/queue/task.ts";
import { nativePayload } from "./engines/native/engine.ts";
import { builtInPlugins } from "./main.ts";
import { checkedPart } from "./payload-part.ts";
import { composePayload } from "./payload-schema.ts";
import { faultsOf, payloadSchema as artifactsSchema } from "./plugins/artifacts/payload.ts";
import { envFaults, envSchema } from "./plugins/env.ts";
import { payloadSchema as mountsSchema, readMounts } from "./plugins/mounts/payload.ts";
import { notYetSchema, unsupportedIn } from "./plugins/not-yet.ts";
import { InternalError } from "../lib/internal-error.ts";

// Only their schemas are used. The limits of a worker are its own settings.
const limits = { maxArtifactSize: Infinity, maxLogSize: Infinity, maxTaskRunTime: Infinity };
const noLiveLogs = {
  attach(): never {
    throw new InternalError("this only checks payloads");
  },
  close: () => Promise.resolve(),
};
const payloads = composePayload([nativePayload, ...builtInPlugins(limits, noLiveLogs)]);

/** The JSON Schema of the payload. */
export const payloadJsonSchema = payloads.json;

const envOf = checkedPart(envSchema);
const artifactsOf = checkedPart(artifactsSchema);
const mountsOf = checkedPart(mountsSchema);
const notYetOf = checkedPart(notYetSchema);

export interface CheckedTask {
  readonly expires: string;
  readonly definition: Pick<TaskDefinition, "deadline" | "dependencies">;
}

/** Returns the faults as sentences. Each begins with the member that it is about, such as `payload.artifacts[0].name`. */
export function payloadFaults(payload: unknown, task: CheckedTask): readonly string[] {
  const checked = payloads.check(payload);
  if (!checked.ok) return checked.errors;
  return [
    ...envFaults(envOf(checked.payload).env),
    ...unsupportedIn(notYetOf(checked.payload)),
    ...readMounts(mountsOf(checked.payload).mounts, task.definition).faults,
    ...faultsOf(artifactsOf(checked.payload).artifacts, task, new Set()),
  ];
}
