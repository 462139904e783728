// The queue's methods on artifacts, and what removes those that expired.
import type { artifactEndpoints } from "../../../../api/queue/endpoints/artifacts.ts";
import type { queueApi } from "../../../../api/queue/index.ts";
import type { Handlers } from "../../../core/http/serve.ts";
import type { QueueContext } from "../context.ts";
import { createArtifact } from "./create-artifact.ts";
import { finishArtifact } from "./finish-artifact.ts";
import { artifact, getArtifact, getLatestArtifact, latestArtifact } from "./get-artifact.ts";
import { artifactInfo, latestArtifactInfo, listArtifacts, listLatestArtifacts } from "./list-artifacts.ts";

export { expireArtifacts } from "./expire-artifacts.ts";

export const artifactHandlers = (
  ctx: QueueContext,
): Pick<Handlers<typeof queueApi>, keyof typeof artifactEndpoints> => ({
  createArtifact: createArtifact(ctx),
  finishArtifact: finishArtifact(ctx),
  getArtifact: getArtifact(ctx),
  getLatestArtifact: getLatestArtifact(ctx),
  listArtifacts: listArtifacts(ctx),
  listLatestArtifacts: listLatestArtifacts(ctx),
  artifactInfo: artifactInfo(ctx),
  latestArtifactInfo: latestArtifactInfo(ctx),
  artifact: artifact(ctx),
  latestArtifact: latestArtifact(ctx),
});
