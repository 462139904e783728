// Explains whether a holder of scopes may make a call, or satisfies a scope expression.
import { authApi } from "../../../../api/auth/index.ts";
import { explainEndpoints } from "../../../../api/auth/endpoints/explain.ts";
import type { ExplainReply, ExplainRequest } from "../../../../api/auth/explain.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { explain } from "../../../../lib/scopes/explain.ts";
import { unionOf } from "../../../../lib/scopes/scope-set.ts";
import type { Caller, Identity } from "../../../core/caller.ts";
import type { ServiceContract } from "../../../core/scope-params.ts";
import type { AuthContext } from "../context.ts";
import type { Client } from "../directory/client-directory.ts";
import { addedScopes } from "./added-scopes.ts";
import { givenExpression } from "./given-expression.ts";
import { requiredScopes } from "./required-scopes.ts";

export interface ExplainContext extends Pick<AuthContext, "clock" | "directory" | "view"> {
  readonly contracts: readonly ServiceContract[];
}

/** Every caller has the scopes of this role. */
const EVERYONE = "assume:anonymous";

/** The scopes of the proofs in a reply. Few are longer than a thousand characters. */
const MAX_CHARACTERS = 1_000_000;

export const explainScopes =
  (ctx: ExplainContext) =>
  async (caller: Caller, request: ExplainRequest): Promise<ExplainReply> => {
    refuseContradictions(request);
    const { roles } = ctx.directory;
    const { clientId, roleId, scopes } = request;
    const named = new Set(roleId === undefined ? [] : [roleId]);
    for (const scope of scopes ?? []) for (const id of rolesIn(scope)) named.add(id);
    const clientIds = clientId === undefined ? [] : [clientId];
    // As the request names them: a refusal that named the roles that exist would list them to every caller.
    caller.authorize(explainEndpoints.explainScopes, { clientIds, roleIds: [...named] });
    // Otherwise a list of scopes would reveal what a role grants, by whether its proof is refused.
    for (const scope of new Set(scopes))
      if (scope !== "*") roles.assumedBy(scope, (role) => named.add(role.roleId));
    caller.authorize(explainEndpoints.explainScopes, { clientIds, roleIds: [...named] });

    const client = clientId === undefined ? undefined : knownClient(ctx, clientId);
    if (roleId !== undefined) refuseUnknownRole(ctx, roleId);
    const assigned = client
      ? [...client.scopes, EVERYONE]
      : (scopes ?? (roleId === undefined ? assignedTo(ctx, caller.identity()) : [`assume:${roleId}`]));
    const expression =
      request.method === undefined
        ? givenExpression(request.expression)
        : requiredScopes(withAddedScopes(ctx, caller), request.method, roles.expandToSet(assigned));
    const explanation = explain(roles, assigned, expression ?? { AllOf: [] }, {
      maxCharacters: MAX_CHARACTERS,
    });

    const roleIds = new Set(named);
    for (const { steps } of explanation.proofs)
      for (const step of steps) if (step.roleId !== undefined) roleIds.add(step.roleId);
    caller.authorize(explainEndpoints.explainScopes, { clientIds, roleIds: [...roleIds] });
    const { allowed, proofs, omittedProofs, missing } = explanation;
    return {
      allowed,
      ...(expression !== null && { expression }),
      proofs: proofs.map(({ required, steps }) => ({ required, steps: [...steps] })),
      ...(omittedProofs !== undefined && { omittedProofs }),
      ...(missing && { missing: [...missing] }),
      ...(client && { credentials: stateOf(client, ctx.clock.now()) }),
    };
  };

const ASSUME = "assume:";

/** Returns the role that a scope assumes, or the pattern of those that it assumes: `a/*` of `assume:a/*`. */
function rolesIn(scope: string): string[] {
  if (scope.startsWith(ASSUME)) return [scope.slice(ASSUME.length)];
  const isPattern = scope.length > 1 && scope.endsWith("*") && ASSUME.startsWith(scope.slice(0, -1));
  return isPattern ? ["*"] : [];
}

/** Returns the contracts of all services, with functions that derive the scopes that an update of a client or role adds. */
const withAddedScopes = ({ contracts, directory }: ExplainContext, caller: Caller): ServiceContract[] =>
  contracts.map((contract) => {
    if (contract.api !== authApi) return contract;
    const added = addedScopes({
      roles: directory.roles,
      client(clientId) {
        caller.authorize(explainEndpoints.explainScopes, { clientIds: [clientId], roleIds: [] });
        return directory.client(clientId);
      },
      role(roleId) {
        caller.authorize(explainEndpoints.explainScopes, { clientIds: [], roleIds: [roleId] });
        return directory.roles.get(roleId);
      },
    });
    return { ...contract, scopeParams: { ...contract.scopeParams, ...added } };
  });

/** Refuses requests that do not say what is required, or of whom, or say it twice. */
function refuseContradictions({ method, expression, ...of }: ExplainRequest): void {
  if ((method === undefined) === (expression === undefined))
    throw new ApiError(
      "InputError",
      "The request must say what is to be explained: use either `method` or `expression`.",
    );
  const given = Object.keys(of);
  if (given.length > 1)
    throw new ApiError(
      "InputError",
      `The request names several holders of scopes: use one of ${given.join(", ")}, or none of them for the caller.`,
    );
}

function knownClient({ directory }: ExplainContext, clientId: string): Client {
  const client = directory.client(clientId);
  if (client) return client;
  throw new ApiError(
    "ResourceNotFound",
    `There is no client with the id '${clientId}'. Check its spelling; listClients returns all of them. ` +
      "Of temporary credentials with a name of their own, explain the scopes.",
  );
}

/** A role may also apply by a star in its id: `a:*` to `a:b`. */
function refuseUnknownRole({ directory }: ExplainContext, roleId: string): void {
  let isKnown = false;
  directory.roles.assumedBy(`assume:${roleId}`, () => (isKnown = true));
  if (!isKnown)
    throw new ApiError(
      "ResourceNotFound",
      `There is no role with the id '${roleId}', and none whose id ends in a star and covers it. Check its spelling; listRoleIds returns all of them.`,
    );
}

/**
 * Returns the scopes from which the caller's follow. Those of temporary credentials, and of calls that are restricted with
 * `authorizedScopes`, are expanded already, so each of them counts as assigned.
 */
function assignedTo({ directory, view }: ExplainContext, { clientId, scopes }: Identity): readonly string[] {
  const client = clientId === undefined ? undefined : directory.client(clientId);
  const own = client?.scopes ?? [];
  const all = client ? unionOf(view.expandedOf(client), view.anonymous) : view.anonymous;
  const isWhole =
    all.list.length === scopes.list.length && all.list.every((scope, i) => scope === scopes.list[i]);
  return isWhole ? [...own, EVERYONE] : scopes.list;
}

function stateOf({ disabled, expires }: Client, now: number): "valid" | "disabled" | "expired" {
  if (disabled) return "disabled";
  return expires < now ? "expired" : "valid";
}
