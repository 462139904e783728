// The public API of the package: a typed client for Node and browsers.
export type { ArtifactContent } from "./artifacts/artifact-content.ts";
export type { ArtifactDownload, ArtifactRequest } from "./artifacts/download.ts";
export type { Progress } from "./artifacts/progress.ts";
export type { ArtifactUpload, UploadedArtifact } from "./artifacts/upload.ts";
export { bindingsOf, events, queueEvents, type Binding, type PayloadOf } from "./bindings.ts";
export { ClientError, type ErrorBody } from "./client-error.ts";
export {
  connect,
  type ArtifactTransfers,
  type Client,
  type ConnectOptions,
  type EventListening,
  type NewCredentials,
  type ServiceClient,
} from "./connect.ts";
export type { EventOf, ListenOptions } from "./event-stream.ts";
export type { CallOptions, CallParams, Method } from "./service-client.ts";
export type { Credentials } from "./signer.ts";
export {
  createTemporaryCredentials,
  type NamedCredentials,
  type TemporaryCredentialsRequest,
} from "./temporary-credentials.ts";
export { slugid } from "../lib/slugid.ts";
