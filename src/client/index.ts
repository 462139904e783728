// The public API of the package: a typed client for Node and browsers.
export { bindingsOf, events, queueEvents, type Binding, type PayloadOf } from "./bindings.ts";
export { ClientError } from "./client-error.ts";
export {
  connect,
  type Client,
  type ConnectOptions,
  type EventListening,
  type ServiceClient,
} from "./connect.ts";
export type { EventOf, ListenOptions } from "./event-stream.ts";
export type { CallOptions, CallParams, Method } from "./service-client.ts";
export type { Credentials } from "./signer.ts";
export { createTemporaryCredentials, type TemporaryCredentialsRequest } from "./temporary-credentials.ts";
export { slugid } from "../lib/slugid.ts";
