// Ends commands with endless output before their log fills the disk of the worker.
import Type from "typebox";
import type { Sandbox } from "../engine.ts";
import { definePlugin } from "../plugin.ts";
import type { Plugin } from "../plugin.ts";

/** Creates the plugin. `maxBytes` is the maximum size of a log. After an abort the log is kept, and so are the artifacts. */
export function maxLogSizePlugin(maxBytes: number): Plugin {
  return definePlugin({
    name: "max-log-size",
    payloadSchema: Type.Object({}),
    newTask({ log }) {
      const disposed = new AbortController();
      let exceeded = false;
      async function watch(sandbox: Pick<Sandbox, "kill">): Promise<void> {
        if (!(await log.grownBeyond(maxBytes, disposed.signal))) return;
        exceeded = true;
        log.error("Aborting task...");
        await sandbox.kill();
      }
      return Promise.resolve({
        started(sandbox) {
          void watch(sandbox);
          return Promise.resolve();
        },
        stopped() {
          const message = `Task aborted: its log grew beyond the ${maxBytes} bytes that this worker allows`;
          return Promise.resolve(exceeded ? { ok: false, outcome: "failed", message } : { ok: true });
        },
        dispose() {
          disposed.abort();
          return Promise.resolve();
        },
      });
    },
  });
}
