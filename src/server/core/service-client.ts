// The clients that services of this server sign with: declared by the service, known to auth.
import { createHmac } from "node:crypto";

/** Ids below this prefix are reserved for the services of an instance. */
export const SERVICE_CLIENT_PREFIX = "static/taskcluster/";

export interface ServiceClientDeclaration {
  /** Starts with `static/taskcluster/`. */
  readonly clientId: `${typeof SERVICE_CLIENT_PREFIX}${string}`;
  readonly description: string;
  readonly scopes: readonly string[];
}

export interface ServiceClient extends ServiceClientDeclaration {
  readonly accessToken: string;
}

/**
 * Adds the access token. It is derived from the instance's secret, so that all processes agree on it and there is no
 * other secret to create, store or rotate.
 */
export const serviceClient = (declaration: ServiceClientDeclaration, secret: string): ServiceClient => ({
  ...declaration,
  accessToken: createHmac("sha256", secret)
    .update(`access token of ${declaration.clientId}`)
    .digest("base64url"),
});
