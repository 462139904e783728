// Finds what a worker would refuse in a payload, before a task with it is created.
import { nativePayload } from "./engines/native/engine.ts";
import { builtInPlugins } from "./main.ts";
import { applyRules, type RuledTask } from "./payload-rules.ts";
import { composePayload } from "./payload-schema.ts";
import { InternalError } from "../lib/internal-error.ts";

// Only their schemas are used. The limits of a worker are its own settings.
const limits = { maxArtifactSize: Infinity, maxLogSize: Infinity, maxTaskRunTime: Infinity };
const noLiveLogs = {
  attach(): never {
    throw new InternalError("this only checks payloads");
  },
  close: () => Promise.resolve(),
};
const plugins = builtInPlugins(limits, noLiveLogs);
const payloads = composePayload([nativePayload, ...plugins]);

/** The JSON Schema of the payload. */
export const payloadJsonSchema = payloads.json;

/** Returns the faults as sentences. Each begins with the member that it is about, such as `payload.artifacts[0].name`. */
export function payloadFaults(payload: unknown, task: RuledTask): readonly string[] {
  const checked = payloads.check(payload);
  return checked.ok ? applyRules(nativePayload, plugins, checked.payload, task).faults : checked.errors;
}
