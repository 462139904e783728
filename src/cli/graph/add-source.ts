// Adds the current folder to the tasks of a graph.
import { CliError } from "../cli-error.ts";
import type { SourceMount } from "../run/definition.ts";
import { isWorkerPayload } from "../task/payload-check.ts";
import type { Graph } from "./graph-tasks.ts";

/** Returns the time until which the tasks may need the source, in milliseconds since the epoch. */
export const sourceNeededUntil = ({ requests }: Graph): number =>
  Math.max(...requests.map(({ task }) => Date.parse(task.deadline)));

/** Returns the graph with the source in the folder of each task that runs on `taskyard worker`. */
export function addSource(graph: Graph, source: SourceMount): Graph {
  const requests = graph.requests.map(({ taskId, task }) => {
    const { payload, dependencies = [], scopes = [] } = task;
    if (!isWorkerPayload(payload)) return { taskId, task };
    const own: unknown = payload["mounts"];
    const mounts = [...source.mounts, ...(Array.isArray(own) ? own : [])];
    return {
      taskId,
      task: {
        ...task,
        dependencies: [...dependencies, ...source.dependencies],
        scopes: [...scopes, ...source.scopes],
        payload: { ...payload, mounts },
      },
    };
  });
  return { ...graph, requests };
}

/** Throws if no task would run in the folder. */
export function checkSourceIsUsed({ requests }: Graph): void {
  if (!requests.some(({ task }) => isWorkerPayload(task.payload)))
    throw new CliError(
      "--cwd-tarball: no task of the graph has a command of `taskyard worker`: omit the option",
    );
}
