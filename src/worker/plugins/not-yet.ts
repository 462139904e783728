// Parts of generic-worker's payload that this worker does not support yet. It accepts their keys with neutral values, and
// refuses all other values with an explanation: a task must not run without a feature that it requires.
import Type, { type Static } from "typebox";
import { definePlugin } from "../plugin.ts";
import type { Plugin } from "../plugin.ts";

const off = (what: string) =>
  Type.Boolean({ default: false, description: `${what} Not supported yet: false only.` });

const notYetSchema = Type.Object({
  osGroups: Type.Array(Type.String(), {
    default: [],
    uniqueItems: true,
    description: "Not supported yet: leave it out.",
  }),
  supersederUrl: Type.Optional(Type.String({ description: "Accepted, without effect." })),
  taskclusterProxyInterface: Type.Unsafe<string>({
    type: "string",
    enum: ["localhost", "docker-bridge"],
    default: "localhost",
    description: "Without effect while there is no proxy.",
  }),
  features: Type.Object(
    {
      taskclusterProxy: off("A proxy that signs the task's API calls."),
      interactive: off("A shell in the running task."),
      loopbackVideo: off("A virtual camera."),
      loopbackAudio: off("A virtual sound card."),
      chainOfTrust: off("A signed list of the artifacts of the task."),
      runTaskAsCurrentUser: off("Commands run as the worker's user."),
      resourceMonitor: Type.Boolean({
        default: true,
        description: "Memory figures in the log. Accepted, without effect yet.",
      }),
    },
    { additionalProperties: false, default: {} },
  ),
});

export function notYetPlugin(): Plugin {
  return definePlugin({
    name: "not-yet",
    payloadSchema: notYetSchema,
    faults: unsupportedIn,
    newTask: () => Promise.resolve({}),
  });
}

/** Returns the members that ask for something unsupported, as sentences. */
function unsupportedIn({ osGroups, features }: Static<typeof notYetSchema>): readonly string[] {
  // It does not change the result of the task, so any value is accepted.
  const { resourceMonitor: _monitor, ...flags } = features;
  return [
    ...Object.entries(flags)
      .filter(([, enabled]) => enabled)
      .map(
        ([flag]) =>
          `payload.features.${flag} is not supported by this worker yet; leave it out or set it to false`,
      ),
    ...(osGroups.length > 0
      ? [
          "payload.osGroups is not supported by this worker yet; its tasks run with the groups of the worker's user",
        ]
      : []),
  ];
}
