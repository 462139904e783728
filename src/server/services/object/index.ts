// Public API of the object service.
import { objectApi } from "../../../api/object/index.ts";
import { defineService } from "../../core/service.ts";
import type { ObjectContext } from "./context.ts";
import { createUpload, reserve, type Reservation } from "./create-upload.ts";
import { download, isFinished, object, requireObject, simpleUrl, startDownload } from "./download.ts";
import { expireObjects } from "./expire-objects.ts";
import { finishUpload } from "./finish-upload.ts";
import { settings } from "./settings.ts";
import { readObject } from "./store.ts";
import type { Queryable } from "../../core/db.ts";

/** What other services can use in the process. */
export interface Objects {
  /** Reserves a name in the caller's transaction, as createUpload does. Throws `RequestConflict`. */
  reserve(db: Queryable, reservation: Reservation): Promise<unknown>;
  /** Reports whether the object exists and its upload is finished. */
  isFinished(name: string): Promise<boolean>;
  /** Returns a URL for the object's content. Throws `ResourceNotFound`. */
  downloadUrl(name: string, rootUrl: string): Promise<string>;
}

/** How often expired objects are looked for. */
const EXPIRY_INTERVAL_MS = 5_000;

export const objectService = defineService({
  api: objectApi,
  settings,
  metrics: {},
  create({ db, clock, monitor, artifacts, config }) {
    const ctx: ObjectContext = { db, clock, monitor, artifacts, config: config.objects };
    const provides: Objects = {
      reserve: (tx, reservation) => reserve(ctx, tx, reservation),
      isFinished: async (name) => isFinished(await readObject(db, name)),
      downloadUrl: async (name, rootUrl) => simpleUrl(ctx, await requireObject(ctx, name), rootUrl),
    };
    return {
      handlers: {
        createUpload: createUpload(ctx),
        finishUpload: finishUpload(ctx),
        startDownload: startDownload(ctx),
        object: object(ctx),
        download: download(ctx),
      },
      provides,
      loops: [{ name: "object-expiry", intervalMs: EXPIRY_INTERVAL_MS, runOnce: expireObjects(ctx) }],
    };
  },
});
