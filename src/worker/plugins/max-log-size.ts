// Ends commands that write without end, before their log has filled the disk of the worker and of everybody after it.
import Type from "typebox";
import type { Sandbox } from "../engine.ts";
import { definePlugin } from "../plugin.ts";
import type { Plugin } from "../plugin.ts";

/** `maxBytes` is the most that a task may write. What it has written by then is kept, and so are its artifacts. */
export function maxLogSizePlugin(maxBytes: number): Plugin {
  return definePlugin({
    name: "max-log-size",
    payloadSchema: Type.Object({}),
    newTask({ log }) {
      const over = new AbortController();
      let exceeded = false;
      async function watch(sandbox: Pick<Sandbox, "kill">): Promise<void> {
        if (!(await log.grownBeyond(maxBytes, over.signal))) return;
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
          over.abort();
          return Promise.resolve();
        },
      });
    },
  });
}
