// startDownload, download and object: return URLs of an object's content, and its metadata.
import type { BodyOf, ReplyOf } from "../../../api/endpoint.ts";
import { objectApi } from "../../../api/object/index.ts";
import { ApiError } from "../../../lib/errors.ts";
import type { ContentKey } from "../../core/artifact-store/index.ts";
import type { Caller } from "../../core/caller.ts";
import type { ObjectContext } from "./context.ts";
import { readObject, type ObjectRow } from "./store.ts";

/** Clients request a new URL after this time. The URL itself expires later. */
const GET_URL_MS = 60_000;

const { endpoints } = objectApi;

/** `rootUrl` is the URL at which the caller reaches this server, here and below. */
export const startDownload =
  (ctx: ObjectContext) =>
  async (
    caller: Caller,
    name: string,
    accepted: BodyOf<typeof endpoints.startDownload>["acceptDownloadMethods"],
    rootUrl: () => string,
  ): Promise<ReplyOf<typeof endpoints.startDownload>> => {
    caller.authorize(endpoints.startDownload, { name });
    const found = await requireObject(ctx, name);
    const root = rootUrl();
    if (accepted.getUrl) {
      const url = await ctx.artifacts.downloadUrl({ key: contentOf(found), rootUrl: root });
      const expires = new Date(ctx.clock.now() + GET_URL_MS).toISOString();
      return { method: "getUrl", url, expires, hashes: found.hashes };
    }
    if (accepted.simple) return { method: "simple", url: await simpleUrl(ctx, found, root) };
    throw new ApiError(
      "NoMatchingMethod",
      "None of the methods in acceptDownloadMethods is supported: accept getUrl or simple.",
    );
  };

/** Returns a URL of the object's content. */
export const download =
  (ctx: ObjectContext) =>
  async (caller: Caller, name: string, rootUrl: () => string): Promise<string> => {
    caller.authorize(endpoints.download, { name });
    const found = await requireObject(ctx, name);
    return simpleUrl(ctx, found, rootUrl());
  };

export const object =
  (ctx: ObjectContext) =>
  async (caller: Caller, name: string): Promise<ReplyOf<typeof endpoints.object>> => {
    caller.authorize(endpoints.object, { name });
    const { project_id: projectId, expires, hashes } = await requireObject(ctx, name);
    return { projectId, expires: expires.toISOString(), hashes };
  };

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
      `There is no object "${name}": it was never uploaded, its upload was not finished, or it has expired. Check the name, or upload it.`,
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
