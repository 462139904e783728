// The methods of the object service over HTTP.
import type { objectApi } from "../../../api/object/index.ts";
import { callersRootUrl } from "../../core/http/callers-root-url.ts";
import { Reply } from "../../core/http/replies.ts";
import type { ServiceHandlers } from "../../core/service.ts";
import type { ObjectUseCases } from "./use-cases.ts";

export const objectHandlers = (objects: ObjectUseCases): ServiceHandlers<typeof objectApi> => ({
  createUpload: ({ caller, params, body, request }) =>
    objects.createUpload(caller, params.name, body, () => callersRootUrl(request)),
  finishUpload: async ({ caller, params, body }) => {
    await objects.finishUpload(caller, params.name, body);
    // The contract declares no reply. Taskcluster sends an empty object.
    return new Reply(200, {});
  },
  startDownload: ({ caller, params, body, request }) =>
    objects.startDownload(caller, params.name, body.acceptDownloadMethods, () => callersRootUrl(request)),
  object: ({ caller, params }) => objects.object(caller, params.name),
  download: async ({ caller, params, request }) => {
    const location = await objects.download(caller, params.name, () => callersRootUrl(request));
    return new Reply(303, { url: location }, { headers: { location } });
  },
});
