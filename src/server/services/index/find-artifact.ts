// findArtifactFromTask: where an artifact of an indexed task is.
import { indexApi } from "../../../api/index/index.ts";
import { queueApi } from "../../../api/queue/index.ts";
import { ApiError } from "../../../lib/errors.ts";
import { callerWith, type Caller } from "../../core/caller.ts";
import { signUrl } from "../../core/sign-url.ts";
import type { IndexContext } from "./context.ts";
import { requireEntry } from "./entries.ts";

const SIGNED_MS = 15 * 60_000;

/**
 * Returns a URL of the artifact of the task's latest run. If everybody may read it, that is where its content is, or the
 * queue's URL, which then explains why there is none. Otherwise it is a URL of the queue that this service signs, limited
 * to the scope that the caller was checked for: a link to an artifact of another name does not open that one.
 */
export const findArtifactFromTask =
  (ctx: IndexContext) =>
  async (caller: Caller, indexPath: string, name: string, rootUrl: () => string): Promise<string> => {
    caller.authorize(indexApi.endpoints.findArtifactFromTask, { name });
    const { task_id: taskId } = await requireEntry(ctx, indexPath);
    const path = queueApi.endpoints.getLatestArtifact.path
      .replace(":taskId", taskId)
      .replace("*name", () => name.split("/").map(encodeURIComponent).join("/"));
    const url = `${rootUrl()}/api/${queueApi.name}/${queueApi.version}${path}`;
    const scope = `queue:get-artifact:${name}`;
    const anonymous = ctx.anonymousScopes();
    if (!anonymous.satisfies(scope))
      return signUrl(url, {
        client: ctx.client,
        expires: ctx.clock.now() + SIGNED_MS,
        authorizedScopes: [scope],
      });
    const everybody = callerWith({ clientId: undefined, scopes: anonymous });
    try {
      const location = await ctx.queue.getLatestArtifact(everybody, taskId, name, rootUrl);
      return location.storageType === "error" ? url : location.url;
    } catch (err) {
      if (err instanceof ApiError) return url;
      throw err;
    }
  };
