// Derives the verdict from the exit status of the commands. `payload.onExitStatus` lists codes after which the task is retried.
import { constants } from "node:os";
import Type from "typebox";
import { taskDefaults } from "../../api/queue/task.ts";
import { definePlugin } from "../plugin.ts";
import type { Plugin, Verdict } from "../plugin.ts";
import type { ExitInfo } from "../exit-info.ts";

const codes = (minimum: number, description: string) =>
  Type.Array(Type.Integer({ minimum }), { uniqueItems: true, default: [], description });

const payloadSchema = Type.Object({
  onExitStatus: Type.Object(
    {
      retry: codes(
        1,
        "Exit codes after which the queue runs the task again, as long as it has retries left.",
      ),
      purgeCaches: codes(
        0,
        "Exit codes after which the task's caches are deleted. This worker has no caches yet.",
      ),
    },
    { additionalProperties: false, default: {} },
  ),
});

export function exitStatusPlugin(): Plugin {
  return definePlugin({
    name: "exit-status",
    payloadSchema,
    newTask: ({ log, info }, { onExitStatus }) =>
      Promise.resolve({
        stopped({ exits, success }) {
          if (success) return Promise.resolve({ ok: true });
          const verdict = verdictOn(exits.at(-1), onExitStatus.retry);
          const code = exits.at(-1)?.code ?? 0;
          const { retries } = info.definition;
          // A task with another number than the default may expect that a failing command is repeated.
          if (code !== 0 && retries !== taskDefaults.retries && onExitStatus.retry.length === 0)
            log.info(
              `The task has "retries": ${retries}, which are for runs whose worker is lost. To run it again after this exit ` +
                `status, set payload.onExitStatus.retry to [${code}].`,
            );
          return Promise.resolve(verdict);
        },
      }),
  });
}

/** Returns the verdict on the last command that ran, which is the one that failed. */
function verdictOn(exit: ExitInfo | undefined, retry: readonly number[]): Verdict {
  const code = exit?.code ?? undefined;
  if (code !== undefined && code !== 0 && retry.includes(code)) {
    const message = `exit status ${code}, which payload.onExitStatus.retry lists for a retry`;
    return { ok: false, outcome: "intermittent-task", message };
  }
  return { ok: false, outcome: "failed", message: describe(exit) };
}

function describe(exit: ExitInfo | undefined): string {
  if (exit === undefined || exit.outcome === "aborted") return "the commands were stopped";
  if (exit.systemError !== undefined) return exit.systemError;
  return `exit status ${exit.code ?? -1}${signalHint(exit.code)}`;
}

/** Explains a status above 128, which shells report after a signal and programs seldom choose. */
function signalHint(code: number | null): string {
  const signal = Object.entries(constants.signals).find(([, number]) => code === 128 + number)?.[0];
  return signal === undefined ? "" : `, as after ${signal}`;
}
