// The task's log for readers: live while the task runs, and as a compressed artifact afterwards.
import { Readable } from "node:stream";
import Type from "typebox";
import type { LiveLogServer } from "../live-log-server.ts";
import { messageOf } from "../worker-monitor.ts";
import { definePlugin } from "../plugin.ts";
import type { Plugin, TaskPlugin } from "../plugin.ts";
import type { TaskContext } from "../task-context.ts";
import { maxRunTime } from "./max-run-time.ts";

const contentType = "text/plain; charset=utf-8";
// Time for the stages before and after the commands.
const liveMarginMs = 15 * 60_000;

const name = (value: string) => Type.String({ default: value, maxLength: 1024, pattern: "^[ -~]+$" });

const payloadSchema = Type.Object({
  // Optional here, since a payload without it has a log too.
  maxRunTime: Type.Optional(maxRunTime),
  logs: Type.Object(
    { live: name("public/logs/live.log"), backing: name("public/logs/live_backing.log") },
    { additionalProperties: false, default: {}, description: "Names of the artifacts that hold the log." },
  ),
  features: Type.Object(
    {
      liveLog: Type.Boolean({ default: true, description: "Serve the log while the task runs." }),
      backingLog: Type.Boolean({ default: true, description: "Keep the log as an artifact." }),
    },
    { additionalProperties: false, default: {} },
  ),
});

/** Creates the plugin. Its failures never change the outcome of the task: a log that cannot be published is a warning. */
export function logsPlugin(server: LiveLogServer): Plugin {
  return definePlugin({
    name: "logs",
    payloadSchema,
    evenIfMalformed: true,
    reservedArtifacts: ({ logs, features }) => [
      ...(features.liveLog ? [logs.live] : []),
      ...(features.backingLog ? [logs.backing] : []),
    ],
    newTask: (task, { logs, features, maxRunTime: seconds }) => {
      // With one name for both, which is a fault, only the saved log can have it.
      const canGoLive = features.liveLog && !(features.backingLog && logs.live === logs.backing);
      const live = canGoLive && seconds !== undefined ? goLive(task, server, logs.live, seconds) : undefined;
      return Promise.resolve({
        async resolving(_resolution, signal) {
          // The backing log is saved first, since the link must not point to a missing artifact.
          const saved = features.backingLog && (await saveLog(task, logs.backing, signal));
          await live?.registered;
          if (saved && canGoLive) await pointAtBackingLog(task, logs.live, logs.backing, signal);
        },
        dispose() {
          live?.detach();
          return Promise.resolve();
        },
      } satisfies TaskPlugin);
    },
  });
}

/** Serves the log and creates the artifact with its URL, in the background: the commands do not wait for it. */
function goLive(
  task: TaskContext,
  server: LiveLogServer,
  artifact: string,
  seconds: number,
): { registered: Promise<void>; detach(): void } {
  const { info, clock, log, signal } = task;
  const { url, detach } = server.attach(log);
  const ends = Math.min(clock.now() + seconds * 1000 + liveMarginMs, Date.parse(info.expires));
  const registered = task.artifacts
    .record(
      artifact,
      { storageType: "reference", contentType, url, expires: new Date(ends).toISOString() },
      signal,
    )
    .catch((error: unknown) => {
      if (!signal.aborted) log.warn(`The live log could not be published: ${messageOf(error)}`);
    });
  return { registered, detach };
}

/**
 * Uploads the complete log, and reports whether that succeeded. Canceled runs are included: the queue still accepts their
 * artifacts for a while, and the log shows that they were canceled.
 */
async function saveLog(task: TaskContext, artifact: string, signal: AbortSignal): Promise<boolean> {
  const { log, info, monitor } = task;
  try {
    await task.artifacts.file(
      {
        name: artifact,
        contentType,
        contentEncoding: "gzip",
        expires: info.expires,
        size: log.byteLength,
        open: (range) =>
          Readable.from(log.read({ from: range?.start, to: range?.end, signal }), { objectMode: false }),
      },
      signal,
    );
    return true;
  } catch (error) {
    monitor.warn("the log could not be saved", { err: error, artifact });
    return false;
  }
}

/** Makes the artifact of the live log a link to the saved log. */
async function pointAtBackingLog(
  task: TaskContext,
  live: string,
  backing: string,
  signal: AbortSignal,
): Promise<void> {
  const { info, monitor } = task;
  try {
    await task.artifacts.record(
      live,
      { storageType: "link", contentType, artifact: backing, expires: info.expires },
      signal,
    );
  } catch (error) {
    monitor.warn("the live log could not be linked to the saved one", { err: error, artifact: live });
  }
}
