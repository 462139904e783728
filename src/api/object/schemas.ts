// Objects: how their bytes get in and out, and what is kept of them.
import Type, { type Static } from "typebox";
import { SLUGID_PATTERN } from "../../lib/slugid.ts";
import { DateTime, exactly, named, oneOf } from "../schema.ts";

/** The most bytes that come inside of a request, and so much base64. */
export const MAX_INLINE_BYTES = 8192;
const MAX_INLINE_TEXT = 10_926;
/** URLs of parts that one reply has: each is signed, which takes a third of a millisecond. */
export const MAX_PART_URLS = 100;
/** Parts that an object may have; S3 takes no more. */
export const MAX_PARTS = 10_000;

const ProjectId = Type.String({ minLength: 1, maxLength: 500, pattern: "^([a-zA-Z0-9._/-]*)$" });
const UploadId = Type.String({ pattern: SLUGID_PATTERN });
const Url = Type.String({ format: "uri" });

/** By algorithm. The contract names two, and lets others be given. */
export interface Hashes {
  readonly sha256?: string;
  readonly sha512?: string;
  readonly [algorithm: string]: unknown;
}
const Hashes = Type.Unsafe<Hashes>(
  Type.Object(
    {
      sha256: Type.Optional(Type.String({ pattern: "^[a-z0-9]{64}$" })),
      sha512: Type.Optional(Type.String({ pattern: "^[a-z0-9]{128}$" })),
    },
    {
      additionalProperties: true,
      description: "Of the object's content, by algorithm. Others may be given too.",
    },
  ),
);

const DataInline = exactly({
  contentType: Type.String(),
  objectData: Type.String({ maxLength: MAX_INLINE_TEXT, description: "Base64, of at most 8 KiB." }),
});
const PutUrl = exactly({ contentType: Type.String(), contentLength: Type.Integer() });
// Ours: one PUT ends at 5 GiB in S3, and a torn one begins anew.
const MultipartPutUrls = exactly(
  {
    contentType: Type.String(),
    contentLength: Type.Integer({ minimum: 0 }),
    firstPart: Type.Integer({
      minimum: 1,
      maximum: MAX_PARTS,
      default: 1,
      description: `The part that the URLs begin with; a reply has ${MAX_PART_URLS} at most.`,
    }),
  },
  { description: "PUTs of parts, which can go beside each other and be repeated one by one." },
);

const CreateUploadRequest = exactly({
  projectId: ProjectId,
  uploadId: UploadId,
  expires: DateTime,
  hashes: Type.Optional(Hashes),
  proposedUploadMethods: exactly({
    dataInline: Type.Optional(DataInline),
    putUrl: Type.Optional(PutUrl),
    multipartPutUrls: Type.Optional(MultipartPutUrls),
  }),
});
export type CreateUploadRequest = Static<typeof CreateUploadRequest>;

const UploadMethod = Type.Object(
  {
    dataInline: Type.Optional(Type.Literal(true)),
    putUrl: Type.Optional(
      exactly({ url: Url, expires: DateTime, headers: Type.Record(Type.String(), Type.String()) }),
    ),
    multipartPutUrls: Type.Optional(
      exactly({
        partSize: Type.Integer({ description: "Bytes of each part but the last, which has the rest." }),
        partCount: Type.Integer(),
        firstPart: Type.Integer({ description: "The part that the first of the URLs is for." }),
        urls: Type.Array(Url),
        expires: DateTime,
      }),
    ),
  },
  { additionalProperties: false, minProperties: 0, maxProperties: 1 },
);
export type UploadMethod = Static<typeof UploadMethod>;

export const createUploadRequestFile = named("v1/create-upload-request.json", CreateUploadRequest);
export const createUploadReplyFile = named(
  "v1/create-upload-response.json",
  exactly({ projectId: ProjectId, uploadId: UploadId, expires: DateTime, uploadMethod: UploadMethod }),
);

export const finishUploadRequestFile = named(
  "v1/finish-upload-request.json",
  exactly({
    projectId: ProjectId,
    uploadId: UploadId,
    hashes: Type.Optional(Hashes),
    partEtags: Type.Optional(
      Type.Array(Type.String({ pattern: "^[\\x21-\\x7e]{1,256}$" }), {
        minItems: 1,
        maxItems: MAX_PARTS,
        description:
          "After an upload in parts: the ETag headers that the PUTs were answered with, in the order of the parts.",
      }),
    ),
  }),
);

export const startDownloadRequestFile = named(
  "v1/download-object-request.json",
  exactly({
    acceptDownloadMethods: exactly({
      simple: Type.Optional(Type.Literal(true)),
      getUrl: Type.Optional(Type.Literal(true)),
    }),
  }),
);
export const startDownloadReplyFile = named(
  "v1/download-object-response.json",
  oneOf(
    exactly({ method: Type.Literal("simple"), url: Url }),
    exactly({ method: Type.Literal("getUrl"), url: Url, expires: DateTime, hashes: Hashes }),
  ),
);

export const objectFile = named(
  "v1/get-object-response.json",
  exactly({ projectId: ProjectId, expires: DateTime, hashes: Hashes }),
);
