// The face of authentication: who sent a request, what it may do, and credentials for tasks.
export {
  createAuthenticator,
  type Authenticator,
  type AuthResult,
  type SignedRequest,
} from "./authenticate.ts";
export { QUEUE_CLIENT_ID, staticClients, type Client, type ClientDirectory } from "./clients.ts";
export { createRequestAuthenticator } from "./request-authenticator.ts";
export {
  createTemporaryCredentials,
  type Issuer,
  type TemporaryCredentials,
} from "./temporary-credentials.ts";
