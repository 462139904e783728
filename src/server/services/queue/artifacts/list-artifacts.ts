// listArtifacts, artifactInfo and their latest-run forms: what artifacts there are.
import type { artifactEndpoints } from "../../../../api/queue/endpoints/artifacts.ts";
import type { Artifact } from "../../../../api/queue/artifacts.ts";
import type { ReplyOf } from "../../../../api/endpoint.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { decodePage, pageOf } from "../../../core/pagination.ts";
import type { QueueContext } from "../context.ts";
import { requireRun, requireTask } from "../tasks/find-task.ts";
import { readArtifacts, type ArtifactRow } from "./store.ts";
import { idOf, requireArtifact, requireLatestRun, runIdOf } from "./find-artifact.ts";

const ARTIFACT_PAGE = 1000;

const described = (row: ArtifactRow): Artifact => ({
  storageType: row.storage_type,
  name: row.name,
  expires: row.expires.toISOString(),
  contentType: row.content_type,
  ...(row.content_length !== null && { contentLength: row.content_length }),
});

export function listArtifacts(ctx: QueueContext): Handler<typeof artifactEndpoints.listArtifacts> {
  return async (call) => {
    const task = await requireTask(ctx.db, call.params.taskId);
    const runId = runIdOf(call.params.runId);
    requireRun(task, runId);
    return list(ctx, task.task_id, runId, call.query);
  };
}

export function listLatestArtifacts(
  ctx: QueueContext,
): Handler<typeof artifactEndpoints.listLatestArtifacts> {
  return async (call) => {
    const { taskId } = call.params;
    return list(ctx, taskId, await requireLatestRun(ctx, taskId), call.query);
  };
}

async function list(
  ctx: QueueContext,
  taskId: string,
  runId: number,
  query: { continuationToken?: string; limit?: string },
): Promise<ReplyOf<typeof artifactEndpoints.listArtifacts>> {
  const page = decodePage(query, ARTIFACT_PAGE);
  const found = await readArtifacts(ctx.db, taskId, runId, page.after, page.limit + 1);
  const { rows, more } = pageOf(found, page.limit, (row) => row.name);
  return { artifacts: rows.map(described), ...more };
}

export function artifactInfo(ctx: QueueContext): Handler<typeof artifactEndpoints.artifactInfo> {
  return async (call) => described(await requireArtifact(ctx, idOf(call.params)));
}

export function latestArtifactInfo(ctx: QueueContext): Handler<typeof artifactEndpoints.latestArtifactInfo> {
  return async (call) => {
    const { taskId, name } = call.params;
    const runId = await requireLatestRun(ctx, taskId);
    return described(await requireArtifact(ctx, { taskId, runId, name }));
  };
}
