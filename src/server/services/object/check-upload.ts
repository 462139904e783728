// Refuses content for uploads that have ended, although their URLs have not expired.
import { ApiError } from "../../../lib/errors.ts";
import type { CheckUpload } from "../../core/artifact-store/index.ts";
import type { ObjectContext } from "./context.ts";
import { readObject } from "./store.ts";

/** Objects that are artifacts have no other rules: they are finished in every state of their run. */
export const checkUpload =
  ({ db, clock }: Pick<ObjectContext, "db" | "clock">): CheckUpload =>
  async (key) => {
    if (!("uploadId" in key)) return;
    const { object: name, uploadId } = key;
    const object = await readObject(db, name);
    const refuse = (why: string): never => {
      throw new ApiError(
        "AccessDenied",
        `This URL can no longer be used: ${why} Nothing was stored. Upload the content as another object: call createUpload with another name.`,
      );
    };
    if (object?.upload_id !== uploadId) refuse(`upload ${uploadId} of object "${name}" has expired.`);
    else if (object.upload_expires === null)
      refuse(`the upload of object "${name}" is finished, and finished objects never change.`);
    else if (object.upload_expires.getTime() <= clock.now())
      refuse(
        `upload ${uploadId} of object "${name}" was not finished by ${object.upload_expires.toISOString()}.`,
      );
    else if (object.expires.getTime() <= clock.now())
      refuse(`object "${name}" expired at ${object.expires.toISOString()}.`);
  };
