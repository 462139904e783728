// What an artifact of type object has to do with its object.
import type { ArtifactId } from "./store.ts";

export const objectNameOf = ({ taskId, runId, name }: ArtifactId): string => `t/${taskId}/${runId}/${name}`;

/** The upload id in the details of an artifact of type object, as createArtifact wrote them. */
export const uploadIdOf = (details: string): string => (JSON.parse(details) as { uploadId: string }).uploadId;
