// What a client id and the `ext` that came with it amount to: the key that must have signed, and the scopes.
import { decodeExt, HawkError } from "../../lib/hawk.ts";
import { compileScopes, unionOf, type ScopeSet } from "../../lib/scopes/scope-set.ts";
import { isScopeList, readCertificate, requireCurrent, requireSigned, signerOf } from "./certificate.ts";
import type { Client, ClientDirectory } from "./clients.ts";
import { temporaryKey } from "./temporary-credentials.ts";

/** True of everybody who signs with `key`, as long as its client may sign and its times hold. */
export interface Grant {
  readonly clientId: string;
  /** The permanent client behind: the caller itself, or who issued its temporary credentials. */
  readonly signerId: string;
  readonly key: string;
  /** The times of the certificate, in milliseconds; permanent credentials have none. */
  readonly times: { readonly start: number; readonly expiry: number } | undefined;
  readonly scopes: ScopeSet;
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

/** Works out a grant, with every check but that of the request's own MAC. Throws {@link HawkError}. */
export function resolveGrant(
  clientId: string,
  ext: string | undefined,
  directory: ClientDirectory,
  view: ScopeView,
  now: number,
): Grant {
  const { certificate: given, authorizedScopes } = ext ? decodeExt(ext) : {};
  const signerId = signerOf(given, clientId);
  const signer = requireClient(directory, signerId, now);
  const granted = { clientId, signerId };
  if (given === undefined || given === null) {
    const scopes = restrict(view.ofClient(signer), authorizedScopes, view);
    return { ...granted, key: signer.accessToken, times: undefined, scopes };
  }
  const certificate = readCertificate(given, now);
  // The issuer may pass on what everybody may do, though it is not among its own scopes: nobody gains by it.
  const { accessToken } = signer;
  requireSigned(certificate, clientId, { clientId: signerId, accessToken, held: view.ofClient(signer) });
  const { start, expiry, seed } = certificate;
  return {
    ...granted,
    key: temporaryKey(accessToken, seed),
    times: { start, expiry },
    scopes: restrict(view.effective(certificate.scopes), authorizedScopes, view),
  };
}

/**
 * Checks what time can change about a grant that was worked out before, and tells when it ends, in milliseconds.
 * Throws {@link HawkError}.
 */
export function requireValid(grant: Grant, directory: ClientDirectory, now: number): number {
  const { expires } = requireClient(directory, grant.signerId, now);
  if (grant.times === undefined) return expires;
  requireCurrent(grant.times, now);
  return Math.min(expires, grant.times.expiry);
}

function requireClient(directory: ClientDirectory, clientId: string, now: number): Client {
  const client = directory.client(clientId);
  if (client === undefined) throw new HawkError(`Client with clientId '${clientId}' not found`);
  if (client.disabled) throw new HawkError(`Client with clientId '${clientId}' is disabled`);
  if (client.expires < now) throw new HawkError(`Client with clientId: '${clientId}' has expired`);
  return client;
}

/** Replaces what the caller holds by the part that it wants to use. */
function restrict(held: ScopeSet, authorizedScopes: unknown, view: ScopeView): ScopeSet {
  if (authorizedScopes === undefined || authorizedScopes === null) return held;
  if (!Array.isArray(authorizedScopes)) throw new HawkError("ext.authorizedScopes must be an array");
  if (!isScopeList(authorizedScopes)) {
    throw new HawkError("ext.authorizedScopes must be an array of valid scopes");
  }
  if (!authorizedScopes.every((scope) => held.satisfies(scope))) {
    throw new HawkError(
      "Supplied credentials do not satisfy authorizedScopes; credentials have scopes:\n\n" +
        `${fenced(held)}\n\nauthorizedScopes are:\n\n${fenced(compileScopes(authorizedScopes))}`,
    );
  }
  return view.effective(authorizedScopes);
}

const fenced = ({ list }: ScopeSet): string => `\`\`\`\n${list.join("\n")}\n\`\`\``;
