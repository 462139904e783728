// Parts of generic-worker's payload that this worker cannot do yet. Their keys are known, their neutral values are
// accepted, and anything else is refused in words: a task must not run without what it asked for.
import Type from "typebox";
import { MalformedPayloadError } from "../outcome.ts";
import { definePlugin } from "../plugin.ts";
import type { Plugin } from "../plugin.ts";

const off = (what: string) =>
  Type.Boolean({ default: false, description: `${what} Not supported yet: false only.` });

const payloadSchema = Type.Object({
  mounts: Type.Array(Type.Unknown(), { default: [], description: "Not supported yet: leave it out." }),
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
      chainOfTrust: off("A signed account of what the task made."),
      runTaskAsCurrentUser: off("The worker's own user for the commands."),
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
    payloadSchema,
    newTask(_task, { mounts, osGroups, features }) {
      // Without an effect on the result, so true is as good as false.
      const { resourceMonitor: _monitor, ...flags } = features;
      const asked = [
        ...Object.entries(flags)
          .filter(([, wanted]) => wanted)
          .map(
            ([flag]) =>
              `payload.features.${flag} is not supported by this worker yet; leave it out or set it to false`,
          ),
        ...(mounts.length > 0
          ? ["payload.mounts is not supported by this worker yet; let a command fetch what the task needs"]
          : []),
        ...(osGroups.length > 0
          ? [
              "payload.osGroups is not supported by this worker yet; its tasks run with the groups of the worker's user",
            ]
          : []),
      ];
      if (asked.length > 0) throw new MalformedPayloadError(asked);
      return Promise.resolve({});
    },
  });
}
