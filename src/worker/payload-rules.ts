// Applies the rules of engine and plugins that a schema cannot express. They need only the payload and the definition, so the
// command line applies the same ones before it creates a task.
import type { TaskDefinition } from "../api/queue/task.ts";
import type { PayloadPart } from "./payload-part.ts";
import type { Plugin } from "./plugin.ts";

/** What the rules depend on beside the payload. */
export interface RuledTask {
  /** When the task expires, in ISO 8601 format. */
  readonly expires: string;
  readonly definition: Pick<TaskDefinition, "deadline" | "dependencies" | "extra">;
}

export interface AppliedRules {
  /** The names of artifacts that the worker writes itself. */
  readonly reservedArtifacts: ReadonlySet<string>;
  /** Sentences. Each begins with the member that it is about, such as `payload.artifacts[0].name`. */
  readonly faults: readonly string[];
}

/** Applies the rules to a payload that the schema accepts, with its defaults. */
export function applyRules(
  engine: Pick<PayloadPart, "faults">,
  plugins: readonly Plugin[],
  payload: unknown,
  { expires, definition }: RuledTask,
): AppliedRules {
  const names = plugins.flatMap((plugin) => plugin.reservedArtifacts(payload, definition));
  const reservedArtifacts = new Set(names);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  const task = { expires, definition, reservedArtifacts };
  return {
    reservedArtifacts,
    faults: [
      ...[engine, ...plugins].flatMap((part) => part.faults(payload, task)),
      ...(twice === undefined
        ? []
        : [
            `payload.logs: the worker would write two artifacts with the name ${JSON.stringify(twice)}; give the live log, ` +
              "the backing log and the failure report different names",
          ]),
    ],
  };
}
