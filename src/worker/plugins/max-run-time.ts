// `payload.maxRunTime`: ends commands that take longer than their author allowed. What they made until then is kept.
import Type from "typebox";
import { MalformedPayloadError } from "../outcome.ts";
import { definePlugin } from "../plugin.ts";
import type { Plugin } from "../plugin.ts";

/** Shared with whoever needs to know how long a task may run. */
export const maxRunTime = Type.Integer({
  minimum: 1,
  title: "Maximum run time",
  description: "Seconds that all commands together may take. A task that takes longer fails.",
});

const payloadSchema = Type.Object({ maxRunTime });
// A timer of Node's holds no more, which is 24 days; a deadline ends such a task long before.
const longestTimer = 2 ** 31 - 1;

/** `limitSeconds` is the most that a task may ask for. */
export function maxRunTimePlugin(limitSeconds: number): Plugin {
  return definePlugin({
    name: "max-run-time",
    payloadSchema,
    newTask({ clock, log }, { maxRunTime: seconds }) {
      if (seconds > limitSeconds) {
        throw new MalformedPayloadError([
          `payload.maxRunTime is ${seconds}, but this worker allows at most ${limitSeconds} seconds`,
        ]);
      }
      let cancel = (): void => undefined;
      let exceeded = false;
      return Promise.resolve({
        started(sandbox) {
          cancel = clock.after(Math.min(seconds * 1000, longestTimer), () => {
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
                  message: `Task aborted: it ran longer than its maxRunTime of ${seconds} seconds`,
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
