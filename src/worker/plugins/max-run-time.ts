// `payload.maxRunTime`: ends commands that take longer. Their artifacts are kept.
import Type from "typebox";
import { definePlugin } from "../plugin.ts";
import type { Plugin } from "../plugin.ts";
import { counted } from "../../lib/counted.ts";

/** Shared with plugins that need to know how long a task may run. */
export const maxRunTime = Type.Integer({
  minimum: 1,
  title: "Maximum run time",
  description: "Seconds that all commands together may take. A task that takes longer fails.",
});

const payloadSchema = Type.Object({ maxRunTime });
// Node's timers hold at most 24 days. Such a task reaches its deadline before.
const longestTimerMs = 2 ** 31 - 1;

/** Creates the plugin. `limitSeconds` is the largest maxRunTime that a task may have. */
export function maxRunTimePlugin(limitSeconds: number): Plugin {
  return definePlugin({
    name: "max-run-time",
    payloadSchema,
    faults: ({ maxRunTime: seconds }) =>
      seconds > limitSeconds
        ? [
            `payload.maxRunTime is ${seconds}, but this worker allows at most ${counted(limitSeconds, "second")}`,
          ]
        : [],
    newTask({ clock, log }, { maxRunTime: seconds }) {
      let cancel = (): void => undefined;
      let exceeded = false;
      return Promise.resolve({
        started(sandbox) {
          cancel = clock.after(Math.min(seconds * 1000, longestTimerMs), () => {
            exceeded = true;
            log.error("Aborting task...");
            void sandbox.kill();
          });
          return Promise.resolve();
        },
        stopped() {
          cancel();
          return Promise.resolve(
            exceeded
              ? {
                  ok: false,
                  outcome: "failed",
                  message: `Task aborted: it ran longer than its maxRunTime of ${counted(seconds, "second")}`,
                }
              : { ok: true },
          );
        },
        dispose() {
          cancel();
          return Promise.resolve();
        },
      });
    },
  });
}
