// Schemas of the object service: uploads, downloads and metadata.
import Type, { type Static } from "typebox";
import { SLUGID_PATTERN } from "../../lib/slugid.ts";
import { DateTime, exactly, named, oneOf } from "../schema.ts";

/** The maximum size of inline data in bytes, and its length in base64. */
export const MAX_INLINE_BYTES = 8192;
const MAX_INLINE_TEXT = 10_926;
/** The maximum number of part URLs in a reply. Signing each takes a third of a millisecond. */
export const MAX_PART_URLS = 100;
/** The maximum number of parts of an object, which is the limit of S3. */
export const MAX_PARTS = 10_000;

const ProjectId = Type.String({ minLength: 1, maxLength: 500, pattern: "^([a-zA-Z0-9._/-]*)$" });
const UploadId = Type.String({ pattern: SLUGID_PATTERN });
const Url = Type.String({ format: "uri" });

/** Hashes by algorithm. The contract names two and permits others. */
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
      examples: [{ sha256: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03" }],
      description: "Hashes of the content by algorithm. Other algorithms are permitted.",
    },
  ),
);

const DataInline = exactly({
  contentType: Type.String(),
  objectData: Type.String({ maxLength: MAX_INLINE_TEXT, description: "The data in base64, at most 8 KiB." }),
});
const PutUrl = exactly({ contentType: Type.String(), contentLength: Type.Integer() });
// Not in Taskcluster. S3 limits a single PUT to 5 GiB, and an interrupted one starts from scratch.
const MultipartPutUrls = exactly(
  {
    contentType: Type.String(),
    contentLength: Type.Integer({ minimum: 0 }),
    firstPart: Type.Integer({
      minimum: 1,
      maximum: MAX_PARTS,
      default: 1,
      description: `The first part to return a URL for. A reply contains at most ${MAX_PART_URLS} URLs.`,
    }),
  },
  { description: "Uploads the object in parts, which can be sent concurrently and retried individually." },
);

const CreateUploadRequest = exactly({
  projectId: ProjectId,
  uploadId: UploadId,
  expires: DateTime,
  hashes: Type.Optional(Hashes),
  proposedUploadMethods: exactly(
    {
      dataInline: Type.Optional(DataInline),
      putUrl: Type.Optional(PutUrl),
      multipartPutUrls: Type.Optional(MultipartPutUrls),
    },
    { examples: [{ putUrl: { contentType: "application/gzip", contentLength: 5000 } }] },
  ),
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
        partSize: Type.Integer({
          description: "The size of each part in bytes. The last part has the remainder.",
        }),
        partCount: Type.Integer(),
        firstPart: Type.Integer({ description: "The part that the first URL is for." }),
        urls: Type.Array(Url),
        expires: DateTime,
      }),
    ),
  },
  {
    additionalProperties: false,
    minProperties: 0,
    maxProperties: 1,
    examples: [
      {
        putUrl: {
          url: "https://store.example.com/app/build.tar.gz?signature=abc",
          expires: "2026-01-31T13:00:00.000Z",
          headers: { "content-type": "application/gzip", "content-length": "5000" },
        },
      },
    ],
  },
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
          "After a multipart upload: the ETag headers of the replies to the PUTs, in the order of the parts.",
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
