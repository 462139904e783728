// Artifacts of runs.
import type { QueueContext } from "../context.ts";
import { createArtifact } from "./create-artifact.ts";
import { finishArtifact } from "./finish-artifact.ts";
import { artifact, getArtifact, getLatestArtifact, latestArtifact } from "./get-artifact.ts";
import { artifactInfo, latestArtifactInfo, listArtifacts, listLatestArtifacts } from "./list-artifacts.ts";

export type ArtifactUseCases = ReturnType<typeof artifactUseCases>;

export const artifactUseCases = (ctx: QueueContext) => ({
  createArtifact: createArtifact(ctx),
  finishArtifact: finishArtifact(ctx),
  getArtifact: getArtifact(ctx),
  getLatestArtifact: getLatestArtifact(ctx),
  artifact: artifact(ctx),
  latestArtifact: latestArtifact(ctx),
  listArtifacts: listArtifacts(ctx),
  listLatestArtifacts: listLatestArtifacts(ctx),
  artifactInfo: artifactInfo(ctx),
  latestArtifactInfo: latestArtifactInfo(ctx),
});
