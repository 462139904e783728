// Resolves a client id and its `ext` to credentials: the key that must have signed the request, and the scopes.
import { decodeExt, HawkError } from "../../../../lib/hawk.ts";
import { compileScopes, type ScopeSet } from "../../../../lib/scopes/scope-set.ts";
import { isScopeList, readCertificate, requireCurrent, requireSigned, signerOf } from "./certificate.ts";
import type { Client, ClientDirectory } from "../directory/client-directory.ts";
import type { ScopeView, TrackedExpansion } from "../directory/scope-view.ts";
import { temporaryKey } from "./temporary-credentials.ts";

/** The credentials of a caller that signs with `key`, valid while its client is enabled and within its times. */
export interface Credentials {
  /** The permanent client: the caller itself, or the issuer of its temporary credentials. */
  readonly signer: Client;
  readonly key: string;
  /** The times of the certificate, in milliseconds; permanent credentials have none. */
  readonly times: { readonly start: number; readonly expiry: number } | undefined;
  readonly scopes: ScopeSet;
  /** The expansions on which the scopes and the checks of the credentials depend. */
  readonly basis: readonly TrackedExpansion[];
  /** The subset of its scopes that the caller wants to use; not checked yet. */
  readonly authorizedScopes: unknown;
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
  const { scopes: held, basis } = view.ofClient(signer);
  const { accessToken } = signer;
  if (given === undefined || given === null) {
    return { signer, key: accessToken, times: undefined, scopes: held, basis, authorizedScopes };
  }
  const certificate = readCertificate(given, now);
  // `held` includes the scopes of `anonymous`: an issuer may pass them on, since every caller has them anyway.
  requireSigned(certificate, clientId, { clientId: signerId, accessToken, held });
  const { start, expiry, seed } = certificate;
  const own = view.effective(certificate.scopes);
  return {
    signer,
    key: temporaryKey(accessToken, seed),
    times: { start, expiry },
    scopes: own.scopes,
    basis: [...basis, ...own.basis],
    authorizedScopes,
  };
}

/**
 * Checks the times of resolved credentials, and returns when they end, in milliseconds. Throws {@link HawkError}. Another
 * state of the client is another object, so for that {@link isCurrent} suffices.
 */
export function requireValid({ signer, times }: Credentials, now: number): number {
  requireUnexpired(signer, now);
  if (times === undefined) return signer.expires;
  requireCurrent(times, now);
  return Math.min(signer.expires, times.expiry);
}

/** Reports whether nothing has changed on which the credentials depend, except for the time. */
export const isCurrent = (
  { signer, basis }: Credentials,
  directory: ClientDirectory,
  view: ScopeView,
): boolean => directory.client(signer.clientId) === signer && view.isCurrent(basis);

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
  const { scopes, basis } = view.effective(authorizedScopes);
  return { ...proven, scopes, basis: [...proven.basis, ...basis] };
}

function requireClient(directory: ClientDirectory, clientId: string, now: number): Client {
  const client = directory.client(clientId);
  if (client === undefined) throw new HawkError("client", `Client with clientId '${clientId}' not found`);
  if (client.disabled) throw new HawkError("client", `Client with clientId '${clientId}' is disabled`);
  requireUnexpired(client, now);
  return client;
}

function requireUnexpired({ clientId, expires }: Client, now: number): void {
  if (expires < now) throw new HawkError("client", `Client with clientId: '${clientId}' has expired`);
}

const fenced = ({ list }: ScopeSet): string => `\`\`\`\n${list.join("\n")}\n\`\`\``;
