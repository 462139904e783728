// `extra.taskyard.failureReport`: an artifact with the reason why the run did not complete, as JSON. `taskyard run` reads it.
import { Readable } from "node:stream";
import Type from "typebox";
import type { FileUpload } from "../artifact-upload.ts";
import type { ExitInfo } from "../exit-info.ts";
import { failureReportName, type FailureReport } from "../failure-report.ts";
import type { Resolution } from "../outcome.ts";
import { definePlugin } from "../plugin.ts";
import type { Plugin } from "../plugin.ts";

export function failureReportPlugin(): Plugin {
  return definePlugin({
    name: "failure-report",
    payloadSchema: Type.Object({}),
    evenIfMalformed: true,
    reservedArtifacts: (_payload, definition) => {
      const name = failureReportName(definition);
      return name === undefined ? [] : [name];
    },
    newTask({ info, artifacts, monitor }) {
      const name = failureReportName(info.definition);
      if (name === undefined) return Promise.resolve({});
      let exits: readonly ExitInfo[] = [];
      return Promise.resolve({
        stopped(results) {
          ({ exits } = results);
          return Promise.resolve({ ok: true });
        },
        async resolving(resolution, signal, messages) {
          if (!needsReport(resolution)) return;
          const content = Buffer.from(JSON.stringify(reportOf(exits, messages)));
          const file: FileUpload = {
            name,
            contentType: "application/json",
            contentEncoding: "identity",
            expires: info.expires,
            size: content.length,
            open: ({ start, end } = { start: 0, end: content.length - 1 }) =>
              Readable.from([content.subarray(start, end + 1)]),
          };
          // Best effort, like the log: a failure here does not change how the run ends.
          await artifacts.file(file, signal).catch((error: unknown) => {
            monitor.warn("the failure report could not be saved", { err: error, artifact: name });
          });
        },
      });
    },
  });
}

/** Completed and lost runs need none. After a shutdown there is little time, and the queue runs the task again. */
function needsReport(resolution: Resolution): boolean {
  if (resolution.kind === "exception") return resolution.reason !== "worker-shutdown";
  return resolution.kind === "failed";
}

function reportOf(exits: readonly ExitInfo[], messages: readonly string[]): FailureReport {
  const commands = exits.map(({ outcome, code, signal }) =>
    outcome === "aborted" ? { exitCode: null, signal: null } : { exitCode: code, signal },
  );
  return { commands, messages };
}
