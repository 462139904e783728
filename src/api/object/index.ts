// The contract of the object service: named bytes that belong to a project and expire.
import { endpoint } from "../endpoint.ts";
import { monitoringEndpoints, service } from "../service.ts";
import {
  createUploadReplyFile,
  createUploadRequestFile,
  finishUploadRequestFile,
  objectFile,
  startDownloadReplyFile,
  startDownloadRequestFile,
} from "./schemas.ts";

const params = { name: /^[\x20-\x7e]+$/ };

export const objectApi = service({
  name: "object",
  version: "v1",
  title: "Object",
  description:
    "Stores named bytes. Clients upload to the store and download from it directly, with URLs that this service issues.",
  endpoints: {
    ...monitoringEndpoints,
    createUpload: endpoint({
      method: "PUT",
      path: "/upload/*name",
      params,
      name: "createUpload",
      category: "Upload",
      stability: "stable",
      title: "Start an upload",
      description:
        "Reserves the name and selects one of the proposed methods, in this order: `dataInline` (the data is stored by this call), `multipartPutUrls` (if the store supports multipart uploads and the object has more than one part), `putUrl`. If none is possible, the reply has no method. Until the upload is finished, the call can be repeated with the same project, upload id and expiry to get new URLs or another method. An upload that is not finished within a day is discarded.",
      scopes: "object:upload:<projectId>:<name>",
      body: createUploadRequestFile,
      reply: createUploadReplyFile,
    }),
    finishUpload: endpoint({
      method: "POST",
      path: "/finish-upload/*name",
      params,
      name: "finishUpload",
      category: "Upload",
      stability: "stable",
      title: "Finish an upload",
      description:
        "Makes the object available for download and prevents further uploads of the same name. Given hashes are recorded. If the store has computed a hash itself, the given one must match. Idempotent.",
      scopes: "object:upload:<projectId>:<name>",
      body: finishUploadRequestFile,
    }),
    startDownload: endpoint({
      method: "PUT",
      path: "/start-download/*name",
      params,
      name: "startDownload",
      category: "Download",
      stability: "stable",
      title: "Start a download",
      description:
        "Selects one of the methods that the caller supports: preferably `getUrl` (a URL that is valid for a minute, with hashes to verify), otherwise `simple` (a URL). Returns 406 if the caller supports neither.",
      scopes: "object:download:<name>",
      body: startDownloadRequestFile,
      reply: startDownloadReplyFile,
    }),
    object: endpoint({
      method: "GET",
      path: "/metadata/*name",
      params,
      name: "object",
      category: "Objects",
      stability: "stable",
      title: "Get an object's metadata",
      description: "Returns the project, the expiry and the hashes of an object.",
      scopes: "object:download:<name>",
      reply: objectFile,
    }),
    download: endpoint({
      method: "GET",
      path: "/download/*name",
      params,
      name: "download",
      category: "Download",
      stability: "stable",
      title: "Download an object",
      description: "Redirects to the content (303).",
      scopes: "object:download:<name>",
    }),
  },
  exchanges: {},
});
