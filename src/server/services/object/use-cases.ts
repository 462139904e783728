// The use cases of the object service, for handlers and other services.
import type { ObjectContext } from "./context.ts";
import { createUpload } from "./create-upload.ts";
import { download, object, startDownload } from "./download.ts";
import { finishUpload } from "./finish-upload.ts";

export type ObjectUseCases = ReturnType<typeof objectUseCases>;

export const objectUseCases = (ctx: ObjectContext) => ({
  createUpload: createUpload(ctx),
  finishUpload: finishUpload(ctx),
  startDownload: startDownload(ctx),
  object: object(ctx),
  download: download(ctx),
});
