// The methods on artifacts over HTTP.
import type { artifactEndpoints } from "../../../../api/queue/endpoints/artifacts.ts";
import { callersRootUrl } from "../../../core/http/callers-root-url.ts";
import { Reply } from "../../../core/http/replies.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import type { Location } from "./get-artifact.ts";
import type { ArtifactId } from "./store/read-artifacts.ts";
import type { ArtifactUseCases } from "./use-cases.ts";

/** No task has so many runs. The path allows larger numbers: they find nothing, instead of overflowing a column. */
const MAX_RUN_ID = 32_767;

const runIdOf = (text: string): number => Math.min(Number(text), MAX_RUN_ID);

const idOf = ({
  taskId,
  runId,
  name,
}: Readonly<Record<"taskId" | "runId" | "name", string>>): ArtifactId => ({
  taskId,
  runId: runIdOf(runId),
  name,
});

function redirectTo(location: Location): Reply {
  const { storageType } = location;
  const headers = { "x-taskcluster-artifact-storage-type": storageType };
  if (location.storageType === "error")
    return new Reply(424, { reason: location.reason, message: location.message }, { headers });
  const { url } = location;
  return new Reply(303, { storageType, url }, { headers: { ...headers, location: url } });
}

export const artifactHandlers = (queue: ArtifactUseCases): HandlersOf<typeof artifactEndpoints> => ({
  createArtifact: ({ caller, params, body, request }) =>
    queue.createArtifact(caller, idOf(params), body, () => callersRootUrl(request)),
  finishArtifact: ({ caller, params, body }) => queue.finishArtifact(caller, idOf(params), body.uploadId),
  getArtifact: async ({ caller, params, request }) => {
    // Only of this method, not of that for the latest run: as in Taskcluster.
    const skipCdn = /^(true|1)$/.test(String(request.headers["x-taskcluster-skip-cdn"]));
    const rootUrl = (): string => callersRootUrl(request);
    return redirectTo(await queue.getArtifact(caller, idOf(params), rootUrl, { skipCdn }));
  },
  getLatestArtifact: async ({ caller, params: { taskId, name }, request }) =>
    redirectTo(await queue.getLatestArtifact(caller, taskId, name, () => callersRootUrl(request))),
  artifact: ({ caller, params, request }) =>
    queue.artifact(caller, idOf(params), () => callersRootUrl(request)),
  latestArtifact: ({ caller, params: { taskId, name }, request }) =>
    queue.latestArtifact(caller, taskId, name, () => callersRootUrl(request)),
  listArtifacts: ({ caller, params: { taskId, runId }, query }) =>
    queue.listArtifacts(caller, taskId, runIdOf(runId), query),
  listLatestArtifacts: ({ caller, params, query }) => queue.listLatestArtifacts(caller, params.taskId, query),
  artifactInfo: ({ caller, params }) => queue.artifactInfo(caller, idOf(params)),
  latestArtifactInfo: ({ caller, params: { taskId, name } }) =>
    queue.latestArtifactInfo(caller, taskId, name),
});
