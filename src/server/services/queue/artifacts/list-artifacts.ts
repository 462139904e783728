// listArtifacts, artifactInfo and the same for the latest run: which artifacts exist.
import type { Artifact } from "../../../../api/queue/artifacts.ts";
import { artifactEndpoints } from "../../../../api/queue/endpoints/artifacts.ts";
import type { Caller } from "../../../core/caller.ts";
import { decodePage, pageOf, type PageQuery } from "../../../core/pagination.ts";
import type { QueueContext } from "../context.ts";
import { requireRun, requireTask } from "../tasks/find-task.ts";
import { requireArtifact, requireLatestRun } from "./find-artifact.ts";
import { readArtifacts, type ArtifactId, type ListedRow } from "./store/read-artifacts.ts";

const PAGE = 1000;

const infoOf = (row: ListedRow): Artifact => ({
  storageType: row.storage_type,
  name: row.name,
  expires: row.expires.toISOString(),
  contentType: row.content_type,
  ...(row.content_length !== null && { contentLength: row.content_length }),
});

export const listArtifacts =
  (ctx: QueueContext) => async (caller: Caller, taskId: string, runId: number, page: PageQuery) => {
    caller.authorize(artifactEndpoints.listArtifacts, { taskId, runId });
    requireRun(await requireTask(ctx.db, taskId), runId);
    return list(ctx, taskId, runId, page);
  };

export const listLatestArtifacts =
  (ctx: QueueContext) => async (caller: Caller, taskId: string, page: PageQuery) => {
    caller.authorize(artifactEndpoints.listLatestArtifacts, { taskId });
    return list(ctx, taskId, await requireLatestRun(ctx, taskId), page);
  };

async function list(ctx: QueueContext, taskId: string, runId: number, page: PageQuery) {
  const { after, limit } = decodePage(page, PAGE);
  const found = await readArtifacts(ctx.db, taskId, runId, after, limit + 1);
  const { rows, more } = pageOf(found, limit, (row) => row.name);
  return { artifacts: rows.map(infoOf), ...more };
}

export const artifactInfo =
  (ctx: QueueContext) =>
  async (caller: Caller, id: ArtifactId): Promise<Artifact> => {
    caller.authorize(artifactEndpoints.artifactInfo, { taskId: id.taskId, runId: id.runId });
    return infoOf(await requireArtifact(ctx, id));
  };

export const latestArtifactInfo =
  (ctx: QueueContext) =>
  async (caller: Caller, taskId: string, name: string): Promise<Artifact> => {
    caller.authorize(artifactEndpoints.latestArtifactInfo, { taskId });
    const runId = await requireLatestRun(ctx, taskId);
    return infoOf(await requireArtifact(ctx, { taskId, runId, name }));
  };
