// The queue's methods on artifacts.
import { allOf, forEach } from "../../lib/scopes/template.ts";
import { endpoint } from "../endpoint.ts";
import {
  artifactContentFile,
  artifactFile,
  artifactListFile,
  artifactLocationFile,
  createArtifactReplyFile,
  createArtifactRequestFile,
} from "./artifacts.ts";
import { page, runId, slugid } from "./endpoints.ts";

const artifactName = /^[\x20-\x7e]+$/;
const ofRun = { taskId: slugid, runId, name: artifactName } as const;
const ofLatest = { taskId: slugid, name: artifactName } as const;
/** Each name on a chain of links is checked, so that a link never opens what its reader may not read. */
const mayRead = allOf(forEach("name", "names", "queue:get-artifact:<name>"));

export const artifactEndpoints = {
  createArtifact: endpoint({
    method: "POST",
    path: "/task/:taskId/runs/:runId/artifacts/*name",
    params: ofRun,
    name: "createArtifact",
    category: "Artifacts",
    stability: "stable",
    title: "Create an artifact",
    description:
      "Names something that the run leaves behind: an upload (`s3`: the reply says where to PUT it), a `reference` to a URL, or an `error` that says why it is missing. Safe to repeat with the same data.",
    scopes: "queue:create-artifact:<taskId>/<runId>",
    body: createArtifactRequestFile,
    reply: createArtifactReplyFile,
  }),
  getArtifact: endpoint({
    method: "GET",
    path: "/task/:taskId/runs/:runId/artifacts/*name",
    params: ofRun,
    name: "getArtifact",
    category: "Artifacts",
    stability: "stable",
    title: "Get an artifact of a run",
    description:
      "Redirects (303, with a JSON body that says the same) to the artifact. An `error` artifact answers 424.",
    scopes: mayRead,
    reply: artifactLocationFile,
  }),
  getLatestArtifact: endpoint({
    method: "GET",
    path: "/task/:taskId/artifacts/*name",
    params: ofLatest,
    name: "getLatestArtifact",
    category: "Artifacts",
    stability: "stable",
    title: "Get an artifact of the latest run",
    description: "As `getArtifact`, of the run with the highest id.",
    scopes: mayRead,
    reply: artifactLocationFile,
  }),
  listArtifacts: endpoint({
    method: "GET",
    path: "/task/:taskId/runs/:runId/artifacts",
    params: { taskId: slugid, runId },
    query: page,
    name: "listArtifacts",
    category: "Artifacts",
    stability: "stable",
    title: "List the artifacts of a run",
    description: "By name, a page at a time.",
    scopes: "queue:list-artifacts:<taskId>:<runId>",
    reply: artifactListFile,
  }),
  listLatestArtifacts: endpoint({
    method: "GET",
    path: "/task/:taskId/artifacts",
    params: { taskId: slugid },
    query: page,
    name: "listLatestArtifacts",
    category: "Artifacts",
    stability: "stable",
    title: "List the artifacts of the latest run",
    description: "As `listArtifacts`, of the run with the highest id.",
    scopes: "queue:list-artifacts:<taskId>",
    reply: artifactListFile,
  }),
  artifactInfo: endpoint({
    method: "GET",
    path: "/task/:taskId/runs/:runId/artifact-info/*name",
    params: ofRun,
    name: "artifactInfo",
    category: "Artifacts",
    stability: "stable",
    title: "Describe an artifact of a run",
    description: "Storage type, content type and expiry, without following links.",
    scopes: "queue:list-artifacts:<taskId>:<runId>",
    reply: artifactFile,
  }),
  latestArtifactInfo: endpoint({
    method: "GET",
    path: "/task/:taskId/artifact-info/*name",
    params: ofLatest,
    name: "latestArtifactInfo",
    category: "Artifacts",
    stability: "stable",
    title: "Describe an artifact of the latest run",
    description: "As `artifactInfo`, of the run with the highest id.",
    scopes: "queue:list-artifacts:<taskId>",
    reply: artifactFile,
  }),
  artifact: endpoint({
    method: "GET",
    path: "/task/:taskId/runs/:runId/artifact-content/*name",
    params: ofRun,
    name: "artifact",
    category: "Artifacts",
    stability: "stable",
    title: "Say where an artifact's content is",
    description: "As `getArtifact`, as JSON instead of a redirect.",
    scopes: mayRead,
    reply: artifactContentFile,
  }),
  latestArtifact: endpoint({
    method: "GET",
    path: "/task/:taskId/artifact-content/*name",
    params: ofLatest,
    name: "latestArtifact",
    category: "Artifacts",
    stability: "stable",
    title: "Say where the content of an artifact of the latest run is",
    description: "As `artifact`, of the run with the highest id.",
    scopes: mayRead,
    reply: artifactContentFile,
  }),
} as const;
