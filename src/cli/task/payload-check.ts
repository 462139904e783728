// Checks the payloads of new tasks as `taskyard worker` checks them, so that a task that it refuses is not created.
import { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { payloadFaults, payloadJsonSchema } from "../../worker/payload-faults.ts";

export interface PayloadProblem {
  /** The member of the payload. Empty for the payload itself. */
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/**
 * Reports whether a payload is one of `taskyard worker`: a list of commands, each a list of words. Workers of other kinds
 * may serve a queue with other payloads.
 */
export const isWorkerPayload = (payload: Readonly<Record<string, unknown>>): boolean =>
  Array.isArray(payload["command"]) && payload["command"].some(Array.isArray);

/** In payloads of other workers, only what all of them take as strings is known. */
const otherSchema = {
  properties: {
    env: { additionalProperties: { type: "string" } },
    command: { items: { type: ["string", "array"], items: { type: "string" } } },
  },
};

/** Returns the JSON Schema by which the payload is read. */
export const payloadSchemaOf = (payload: Readonly<Record<string, unknown>>): object =>
  isWorkerPayload(payload) ? payloadJsonSchema : otherSchema;

/** Returns the problems of a payload of `taskyard worker`. None for other payloads. */
export function checkPayload(
  payload: Readonly<Record<string, unknown>>,
  task: Pick<TaskDefinitionRequest, "deadline" | "expires" | "dependencies" | "extra">,
): readonly PayloadProblem[] {
  if (!isWorkerPayload(payload)) return [];
  const { deadline, dependencies = [], extra = {} } = task;
  const { expires = new Date(Date.parse(deadline) + year).toISOString() } = task;
  return payloadFaults(payload, { definition: { deadline, dependencies, extra }, expires }).map((text) => {
    const path = memberOf(text);
    const [first] = path;
    // Nothing that the definition has is in the payload of this worker.
    const isMisplaced = path.length === 1 && Object.hasOwn(TaskDefinitionRequest.properties, first ?? "");
    return {
      path,
      text: isMisplaced ? `${text}; ${first} is a member of the task: write it beside payload` : text,
    };
  });
}

/** The queue's default for `expires`, after the deadline. */
const year = 365 * 86_400_000;

/** Returns the member that a fault begins with: `payload.artifacts[0].name must be string`. */
function memberOf(fault: string): readonly (string | number)[] {
  const [, path = ""] = /^payload((?:\.\w+|\[\d+\])*)/.exec(fault) ?? [];
  const [, unknown] = / has the unknown property "(.*)"$/.exec(fault) ?? [];
  const steps = [...path.matchAll(/\.(\w+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));
  return unknown === undefined ? steps : [...steps, unknown];
}
