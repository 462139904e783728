// `payload.env`: variables for the task's commands.
import Type from "typebox";
import { definePlugin } from "../plugin.ts";
import type { Plugin } from "../plugin.ts";

const envSchema = Type.Object({
  env: Type.Record(Type.String(), Type.String(), {
    default: {},
    title: "Environment",
    description:
      "Variables for every command. Those that the worker sets (TASK_ID, RUN_ID, …) cannot be changed.",
  }),
});

export function envPlugin(): Plugin {
  return definePlugin({
    name: "env",
    payloadSchema: envSchema,
    faults: ({ env }) => envFaults(env),
    newTask(_task, { env }) {
      return Promise.resolve({
        build(builder) {
          for (const [name, value] of Object.entries(env)) builder.setEnv(name, value);
          return Promise.resolve();
        },
      });
    },
  });
}

/** Returns the names and values that no process can have, as sentences. */
const envFaults = (env: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(env).flatMap(([name, value]) => [
    ...(name === "" || /[=\0]/.test(name)
      ? [`payload.env has the name ${JSON.stringify(name)}; a name is not empty and has no "="`]
      : []),
    ...(value.includes("\0")
      ? [`payload.env.${name} has a NUL character, which a variable cannot contain`]
      : []),
  ]);
