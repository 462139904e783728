// Public API of the object service.
import { objectApi } from "../../../api/object/index.ts";
import { defineService } from "../../core/service.ts";
import type { ObjectContext } from "./context.ts";
import { checkUpload } from "./check-upload.ts";
import { reserve, type Reservation } from "./create-upload.ts";
import { isFinished, requireObject, simpleUrl } from "./download.ts";
import { expireObjects } from "./expire-objects.ts";
import { objectHandlers } from "./handlers.ts";
import { settings } from "./settings.ts";
import { readObject } from "./store.ts";
import { objectUseCases, type ObjectUseCases } from "./use-cases.ts";
import type { Queryable } from "../../core/db.ts";

/** What other services can use in the process. */
export interface Objects extends ObjectUseCases {
  /** Reserves a name in the caller's transaction, as createUpload does. Throws `RequestConflict`. */
  reserve(db: Queryable, reservation: Reservation): Promise<unknown>;
  /** Reports whether the object exists and its upload is finished. */
  isFinished(name: string): Promise<boolean>;
  /** Returns a URL for the object's content. Throws `ResourceNotFound`. */
  downloadUrl(name: string, rootUrl: string): Promise<string>;
}

export const objectService = defineService({
  api: objectApi,
  settings,
  metrics: {},
  create({ db, clock, monitor, artifacts, config }) {
    const ctx: ObjectContext = { db, clock, monitor, artifacts, config: config.objects };
    const useCases = objectUseCases(ctx);
    const provides: Objects = {
      ...useCases,
      reserve: (tx, reservation) => reserve(ctx, tx, reservation),
      isFinished: async (name) => isFinished(await readObject(db, name)),
      downloadUrl: async (name, rootUrl) => simpleUrl(ctx, await requireObject(ctx, name), rootUrl),
    };
    return {
      handlers: objectHandlers(useCases),
      provides,
      checkUpload: checkUpload(ctx),
      loops: [
        { name: "object-expiry", intervalMs: config.objects.loopInterval, runOnce: expireObjects(ctx) },
      ],
    };
  },
});
