// The contract of the object service: named bytes that belong to a project and end at a time.
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
    "Keeps named bytes: uploads and downloads go to the store directly, by URLs that this service makes.",
  endpoints: {
    ...monitoringEndpoints,
    createUpload: endpoint({
      method: "PUT",
      path: "/upload/*name",
      params,
      name: "createUpload",
      category: "Upload",
      stability: "stable",
      title: "Begin an upload",
      description:
        "Reserves the name, and chooses one of the proposed methods: `dataInline` (done with this call), else `multipartPutUrls` where the store has uploads in parts and there is more than one, else `putUrl`; none of them, and the reply has none. May be repeated with the same project, upload id and expiry until the upload is finished, to get new URLs or another method. An upload that is not finished within a day is forgotten.",
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
        "From then on the object can be downloaded, and no new upload of its name begins. Hashes that are given are kept; where the store knows its own, they must agree. Safe to repeat.",
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
      title: "Begin a download",
      description:
        "Chooses one of the methods that the caller knows: `getUrl` (a URL for a minute, with hashes to check), else `simple` (a URL). None of them answers 406.",
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
      title: "Describe an object",
      description: "Its project, its expiry and its hashes.",
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
      description: "Redirects (303) to the content.",
      scopes: "object:download:<name>",
    }),
  },
  exchanges: {},
});
