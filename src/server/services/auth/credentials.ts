// Resolves a client id and its `ext` to credentials: the key that must have signed the request, and the scopes.
import { decodeExt, HawkError } from "../../../lib/hawk.ts";
import { compileScopes, unionOf, type ScopeSet } from "../../../lib/scopes/scope-set.ts";
import { isScopeList, readCertificate, requireCurrent, requireSigned, signerOf } from "./certificate.ts";
import type { Client, ClientDirectory } from "./clients.ts";
import { temporaryKey } from "./temporary-credentials.ts";

/** The credentials of a caller that signs with `key`, valid while its client is enabled and within its times. */
export interface Credentials {
  /** The permanent client: the caller itself, or the issuer of its temporary credentials. */
  readonly signerId: string;
  readonly key: string;
  /** The times of the certificate, in milliseconds; permanent credentials have none. */
  readonly times: { readonly start: number; readonly expiry: number } | undefined;
  readonly scopes: ScopeSet;
  /** The subset of its scopes that the caller wants to use; not checked yet. */
  readonly authorizedScopes: unknown;
}

/** Expands scopes by the roles of one generation of the directory. */
export interface ScopeView {
  /** Returns the scopes expanded, together with those of the role `anonymous`. */
  effective(scopes: readonly string[]): ScopeSet;
  ofClient(client: Client): ScopeSet;
  readonly anonymous: ScopeSet;
}

/** Returns a view that is valid while the directory's generation stays the same. */
export function createScopeView({ roles }: ClientDirectory): ScopeView {
  // Scopes are expanded one by one, so the expansion of a union is the union of the expansions. The anonymous part is
  // therefore expanded once and kept separately.
  const anonymous = roles.expandToSet(["assume:anonymous"]);
  const effective = (scopes: readonly string[]): ScopeSet => unionOf(roles.expandToSet(scopes), anonymous);
  const known = new WeakMap<Client, ScopeSet>();
  return {
    effective,
    anonymous,
    ofClient(client) {
      let scopes = known.get(client);
      if (scopes === undefined) known.set(client, (scopes = effective(client.scopes)));
      return scopes;
    },
  };
}

/** Returns the credentials, which are valid only if the request's MAC matches their key. Throws {@link HawkError}. */
export function resolveCredentials(
  clientId: string,
  ext: string | undefined,
  directory: ClientDirectory,
  view: ScopeView,
  now: number,
): Credentials {
  const { certificate: given, authorizedScopes } = ext ? decodeExt(ext) : {};
  const signerId = signerOf(given, clientId);
  const signer = requireClient(directory, signerId, now);
  const held = view.ofClient(signer);
  const { accessToken } = signer;
  if (given === undefined || given === null) {
    return { signerId, key: accessToken, times: undefined, scopes: held, authorizedScopes };
  }
  const certificate = readCertificate(given, now);
  // `held` includes the scopes of `anonymous`: an issuer may pass them on, since every caller has them anyway.
  requireSigned(certificate, clientId, { clientId: signerId, accessToken, held });
  const { start, expiry, seed } = certificate;
  return {
    signerId,
    key: temporaryKey(accessToken, seed),
    times: { start, expiry },
    scopes: view.effective(certificate.scopes),
    authorizedScopes,
  };
}

/**
 * Checks the parts of resolved credentials that change with time, and returns when they end, in milliseconds. Throws
 * {@link HawkError}.
 */
export function requireValid(of: Credentials, directory: ClientDirectory, now: number): number {
  const { expires } = requireClient(directory, of.signerId, now);
  if (of.times === undefined) return expires;
  requireCurrent(of.times, now);
  return Math.min(expires, of.times.expiry);
}

/**
 * Limits credentials to their `authorizedScopes`. The error message lists all scopes of the credentials, so the request's
 * MAC must have been verified before. Throws {@link HawkError}.
 */
export function narrow(proven: Credentials, view: ScopeView): Credentials {
  const { scopes: held, authorizedScopes } = proven;
  if (authorizedScopes === undefined || authorizedScopes === null) return proven;
  if (!Array.isArray(authorizedScopes)) throw new HawkError("ext", "ext.authorizedScopes must be an array");
  if (!isScopeList(authorizedScopes)) {
    throw new HawkError("ext", "ext.authorizedScopes must be an array of valid scopes");
  }
  if (!authorizedScopes.every((scope) => held.satisfies(scope))) {
    throw new HawkError(
      "ext",
      "Supplied credentials do not satisfy authorizedScopes; credentials have scopes:\n\n" +
        `${fenced(held)}\n\nauthorizedScopes are:\n\n${fenced(compileScopes(authorizedScopes))}`,
    );
  }
  return { ...proven, scopes: view.effective(authorizedScopes) };
}

function requireClient(directory: ClientDirectory, clientId: string, now: number): Client {
  const client = directory.client(clientId);
  if (client === undefined) throw new HawkError("client", `Client with clientId '${clientId}' not found`);
  if (client.disabled) throw new HawkError("client", `Client with clientId '${clientId}' is disabled`);
  if (client.expires < now) throw new HawkError("client", `Client with clientId: '${clientId}' has expired`);
  return client;
}

const fenced = ({ list }: ScopeSet): string => `\`\`\`\n${list.join("\n")}\n\`\`\``;
