// startDownload, download and object: return URLs of an object's content, and its metadata.
import type { objectApi } from "../../../api/object/index.ts";
import { ApiError } from "../../../lib/errors.ts";
import type { ContentKey } from "../../core/artifact-store/index.ts";
import { callersRootUrl } from "../../core/http/callers-root-url.ts";
import { Reply } from "../../core/http/replies.ts";
import type { Handler } from "../../core/http/serve.ts";
import type { ObjectContext } from "./context.ts";
import { readObject, type ObjectRow } from "./store.ts";

/** Clients request a new URL after this time. The URL itself expires later. */
const GET_URL_MS = 60_000;

export function startDownload(ctx: ObjectContext): Handler<typeof objectApi.endpoints.startDownload> {
  return async (call) => {
    const { name } = call.params;
    const { simple, getUrl } = call.body.acceptDownloadMethods;
    const found = await requireObject(ctx, name);
    const rootUrl = callersRootUrl(call.request);
    if (getUrl) {
      const url = await ctx.artifacts.downloadUrl({ key: contentOf(found), rootUrl });
      const expires = new Date(ctx.clock.now() + GET_URL_MS).toISOString();
      return { method: "getUrl", url, expires, hashes: found.hashes };
    }
    if (simple) return { method: "simple", url: await simpleUrl(ctx, found, rootUrl) };
    throw new ApiError(
      "NoMatchingMethod",
      "None of the methods in acceptDownloadMethods is supported: accept getUrl or simple.",
    );
  };
}

export function download(ctx: ObjectContext): Handler<typeof objectApi.endpoints.download> {
  return async (call) => {
    const found = await requireObject(ctx, call.params.name);
    const location = await simpleUrl(ctx, found, callersRootUrl(call.request));
    return new Reply(303, { url: location }, { headers: { location } });
  };
}

export function object(ctx: ObjectContext): Handler<typeof objectApi.endpoints.object> {
  return async (call) => {
    const { project_id: projectId, expires, hashes } = await requireObject(ctx, call.params.name);
    return { projectId, expires: expires.toISOString(), hashes };
  };
}

/** An object whose upload is finished. */
type FinishedObject = ObjectRow & { readonly content_id: string };

export const isFinished = (object: ObjectRow | undefined): object is FinishedObject =>
  object !== undefined && object.upload_expires === null && object.content_id !== null;

const contentOf = ({ name, content_id: contentId }: FinishedObject): ContentKey => ({
  object: name,
  contentId,
});

/** Returns the object. Throws `ResourceNotFound` if it does not exist or its upload is not finished. */
export async function requireObject(ctx: Pick<ObjectContext, "db">, name: string): Promise<FinishedObject> {
  const found = await readObject(ctx.db, name);
  if (!isFinished(found))
    throw new ApiError(
      "ResourceNotFound",
      `There is no object "${name}": it was never uploaded, its upload was not finished, or it has expired.`,
    );
  return found;
}

/**
 * Returns a URL that anyone who has it can use. If a CDN rule matches, it is that of the CDN, with the path that the
 * content has in the bucket below `objects/`.
 */
export function simpleUrl(
  ctx: Pick<ObjectContext, "config" | "artifacts">,
  object: FinishedObject,
  rootUrl: string,
): Promise<string> {
  const { name } = object;
  const rule = ctx.config.cdn.find(({ regexp }) => new RegExp(regexp).test(name));
  if (!rule) return ctx.artifacts.downloadUrl({ key: contentOf(object), rootUrl });
  return Promise.resolve(
    [rule.baseUrl.replace(/\/$/, ""), object.content_id, ...name.split("/").map(encodeURIComponent)].join(
      "/",
    ),
  );
}
