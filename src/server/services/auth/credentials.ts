// What a client id and the `ext` that came with it amount to: the key that must have signed, and the scopes.
import { decodeExt, HawkError } from "../../../lib/hawk.ts";
import { compileScopes, unionOf, type ScopeSet } from "../../../lib/scopes/scope-set.ts";
import { isScopeList, readCertificate, requireCurrent, requireSigned, signerOf } from "./certificate.ts";
import type { Client, ClientDirectory } from "./clients.ts";
import { temporaryKey } from "./temporary-credentials.ts";

/** What somebody who signs with `key` is, as long as its client may sign and its times hold. */
export interface Credentials {
  /** The permanent client behind: the caller itself, or who issued its temporary credentials. */
  readonly signerId: string;
  readonly key: string;
  /** The times of the certificate, in milliseconds; permanent credentials have none. */
  readonly times: { readonly start: number; readonly expiry: number } | undefined;
  readonly scopes: ScopeSet;
  /** The part of its scopes that the caller wants to use; not checked yet. */
  readonly authorizedScopes: unknown;
}

/** Finds out what scopes really mean under the roles of one generation of the directory. */
export interface ScopeView {
  /** Expanded, and with what everybody may do. */
  effective(scopes: readonly string[]): ScopeSet;
  ofClient(client: Client): ScopeSet;
  readonly anonymous: ScopeSet;
}

/** A view for as long as the directory's generation stays the same. */
export function createScopeView({ roles }: ClientDirectory): ScopeView {
  // Expansion works scope by scope: what is granted to a union is the union of what is granted to its parts. So the
  // anonymous part is worked out once, and never mixed into the others.
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

/** Works out what credentials are worth, if the request's MAC proves them. Throws {@link HawkError}. */
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
  // The issuer may pass on what everybody may do, though it is not among its own scopes: nobody gains by it.
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
 * Checks what time can change about credentials that were worked out before, and tells when they end, in
 * milliseconds. Throws {@link HawkError}.
 */
export function requireValid(of: Credentials, directory: ClientDirectory, now: number): number {
  const { expires } = requireClient(directory, of.signerId, now);
  if (of.times === undefined) return expires;
  requireCurrent(of.times, now);
  return Math.min(expires, of.times.expiry);
}

/**
 * The scopes that the caller wants to use, instead of all that it holds. The refusal tells what it holds, so nobody
 * may come here who has not proved to have the key. Throws {@link HawkError}.
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
