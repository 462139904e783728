// oidcToken: a token for the calling task.
import type { ReplyOf } from "../../../api/endpoint.ts";
import { identityApi } from "../../../api/identity/index.ts";
import type { Caller, Identity } from "../../core/caller.ts";
import type { RunningTask } from "../queue/index.ts";
import { claimsOf } from "./claims.ts";
import type { IdentityContext } from "./context.ts";
import { signedToken, type SigningKey } from "./signing-key.ts";

const { oidcToken } = identityApi.endpoints;

export interface TokenContext extends IdentityContext {
  /** Returns the task of credentials, or throws. */
  readonly runningTask: (identity: Identity) => Promise<RunningTask>;
  readonly signingKey: () => Promise<SigningKey>;
}

export const issueToken =
  (ctx: TokenContext) =>
  async (caller: Caller, audience: string): Promise<ReplyOf<typeof oidcToken>> => {
    caller.authorize(oidcToken, { audience });
    const task = await ctx.runningTask(caller.identity());
    const claims = claimsOf({
      issuer: ctx.rootUrl(),
      audience,
      task,
      now: ctx.clock.now(),
      lifetimeMs: ctx.config.tokenLifetime,
    });
    const key = await ctx.signingKey();
    const token = signedToken(key, claims);
    ctx.metrics.oidcTokens.inc();
    const { taskId, runId } = task;
    ctx.monitor.log.info(
      { taskId, runId, audience, jti: claims.jti, kid: key.kid },
      "issued a token to a task",
    );
    return { token, expires: new Date(claims.exp * 1000).toISOString() };
  };
