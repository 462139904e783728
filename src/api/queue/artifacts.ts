// Artifacts: named results of a run.
import Type, { type Static } from "typebox";
import { DateTime, exactly, named, oneOf, oneOfStrings } from "../schema.ts";
import { TaskCredentials } from "./claim.ts";
import { ProjectId, Slugid } from "./task.ts";

export const STORAGE_TYPES = ["s3", "object", "reference", "link", "error"] as const;
const ERROR_ARTIFACT_REASONS = [
  "file-missing-on-worker",
  "invalid-resource-on-worker",
  "too-large-file-on-worker",
  "file-not-readable-on-worker",
] as const;

const ContentType = Type.String({ maxLength: 255 });
const ContentLength = Type.Optional(Type.Integer({ minimum: 0 }));
const Url = Type.String({ format: "uri" });
const ObjectName = Type.String({ pattern: "^[\\x20-\\x7e]+$" });
const kind = <const K extends string>(name: K) => oneOfStrings([name]);

const stored = { expires: DateTime, contentType: ContentType, contentLength: ContentLength };
export const CreateArtifactRequest = oneOf(
  exactly({ storageType: kind("s3"), ...stored }),
  exactly({ storageType: kind("object"), ...stored }),
  exactly({ storageType: kind("reference"), expires: DateTime, contentType: ContentType, url: Url }),
  exactly({
    storageType: kind("link"),
    expires: DateTime,
    contentType: Type.Optional(ContentType),
    artifact: Type.String(),
  }),
  exactly({
    storageType: kind("error"),
    expires: DateTime,
    reason: oneOfStrings(ERROR_ARTIFACT_REASONS),
    message: Type.String({ maxLength: 4096 }),
  }),
);
export type CreateArtifactRequest = Static<typeof CreateArtifactRequest>;

export const CreateArtifactReply = oneOf(
  exactly({ storageType: kind("s3"), contentType: ContentType, expires: DateTime, putUrl: Url }),
  exactly({
    storageType: kind("object"),
    name: ObjectName,
    projectId: ProjectId,
    uploadId: Slugid,
    expires: DateTime,
    credentials: TaskCredentials,
  }),
  exactly({ storageType: kind("reference") }),
  exactly({ storageType: kind("link") }),
  exactly({ storageType: kind("error") }),
);
export type CreateArtifactReply = Static<typeof CreateArtifactReply>;

export const Artifact = exactly({
  storageType: oneOfStrings(STORAGE_TYPES),
  name: Type.String({ maxLength: 1024 }),
  expires: DateTime,
  contentType: ContentType,
  contentLength: ContentLength,
});
export type Artifact = Static<typeof Artifact>;

const ArtifactList = exactly({
  artifacts: Type.Array(Artifact, { uniqueItems: true }),
  continuationToken: Type.Optional(Type.String()),
});

/** The body of a redirect to an artifact. */
const ArtifactLocation = exactly({ storageType: Type.String(), url: Url });

const ArtifactContent = oneOf(
  exactly({ storageType: Type.Literal("s3"), url: Url }),
  exactly({ storageType: Type.Literal("object"), name: ObjectName, credentials: TaskCredentials }),
  exactly({ storageType: Type.Literal("reference"), url: Url }),
  exactly({ storageType: Type.Literal("error"), reason: Type.String(), message: Type.String() }),
);
export type ArtifactContent = Static<typeof ArtifactContent>;

export const finishArtifactRequestFile = named(
  "v1/finish-artifact-request.json",
  exactly({ uploadId: Slugid }),
);
export const createArtifactRequestFile = named("v1/post-artifact-request.json", CreateArtifactRequest);
export const createArtifactReplyFile = named("v1/post-artifact-response.json", CreateArtifactReply);
export const artifactFile = named("v1/artifact-response.json", Artifact);
export const artifactListFile = named("v1/list-artifacts-response.json", ArtifactList);
export const artifactLocationFile = named("v1/get-artifact-response.json", ArtifactLocation);
export const artifactContentFile = named("v1/artifact-content-response.json", ArtifactContent);
