// The object service's face: its handlers, its loops, and what the queue asks of it in the same process.
import type { objectApi } from "../../../api/object/index.ts";
import type { Queryable } from "../../core/db.ts";
import type { Handlers } from "../../core/http/serve.ts";
import type { ObjectContext } from "./context.ts";
import { createUpload, reserve, type Reservation } from "./create-upload.ts";
import { download, isFinished, object, requireObject, simpleUrl, startDownload } from "./download.ts";
import { expireObjects } from "./expire-objects.ts";
import { finishUpload } from "./finish-upload.ts";
import { readObject } from "./store.ts";

export interface Objects {
  readonly handlers: Omit<Handlers<typeof objectApi>, "ping" | "lbheartbeat" | "version" | "heartbeat">;
  /** By name. Any number of processes may run them. */
  readonly loops: Readonly<Record<string, () => Promise<{ more: boolean }>>>;
  /** Reserves a name, in a transaction of the caller, as createUpload does; throws `RequestConflict`. */
  reserve(db: Queryable, reservation: Reservation): Promise<unknown>;
  /** Whether there is such an object, its upload finished. */
  isFinished(name: string): Promise<boolean>;
  /** A URL for the object's content; throws `ResourceNotFound`. */
  downloadUrl(name: string, rootUrl: string): Promise<string>;
}

export function createObjects(ctx: ObjectContext): Objects {
  return {
    handlers: {
      createUpload: createUpload(ctx),
      finishUpload: finishUpload(ctx),
      startDownload: startDownload(ctx),
      object: object(ctx),
      download: download(ctx),
    },
    loops: { "object-expiry": expireObjects(ctx) },
    reserve: (db, reservation) => reserve(ctx, db, reservation),
    isFinished: async (name) => isFinished(await readObject(ctx.db, name)),
    downloadUrl: async (name, rootUrl) => simpleUrl(ctx, await requireObject(ctx, name), rootUrl),
  };
}
