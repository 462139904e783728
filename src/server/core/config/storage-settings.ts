// Settings of the store for the content of artifacts and objects.
import Type from "typebox";
import { choice, duration, flag, path, section, size, text } from "../../../lib/setting.ts";

export const httpUrl = {
  pattern: "^https?://[^/\\s?#]+(/[^\\s?#]*)?$",
  expected: "a URL such as https://s3.example.com",
} as const;
const bucketName = {
  pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$",
  expected: "the name of a bucket: 3 to 63 letters, digits, dots and dashes",
} as const;

export const artifacts = section("The store for the content of artifacts and objects.", {
  store: choice(["local", "s3"], {
    preset: "local",
    description:
      "`local` stores content in a folder, which this server serves. `s3` stores it in two buckets, which clients access directly. Content in one store is not available in the other.",
  }),
  dir: path({ derived: "artifacts in the home folder", description: "The folder of the local store." }),
  maxSize: size("50GB", { description: "The maximum size of an upload to the local store." }),
  signedUrlExpires: duration("30m", {
    max: "7d",
    description: "How long a signed download URL is valid.",
  }),
});

export const s3 = section(
  "S3 or a compatible store (MinIO, Ceph, Swift …). Used if `artifacts.store` is `s3`.",
  {
    endpoint: Type.Optional(
      text({
        written: "url",
        ...httpUrl,
        derived: "AWS in the region",
        description: "The URL of a store other than AWS.",
      }),
    ),
    publicEndpoint: Type.Optional(
      text({
        written: "url",
        ...httpUrl,
        derived: "the endpoint",
        description: "The URL of the store for clients, if it differs from the endpoint.",
      }),
    ),
    region: text({
      preset: "us-east-1",
      description: "The region of the buckets. Most other stores accept any value.",
    }),
    accessKeyId: Type.Optional(
      text({
        derived: "the default credentials of AWS: `AWS_ACCESS_KEY_ID`, `~/.aws`, the role of the machine",
        description: "The access key. It must allow reading, writing and deleting in both buckets.",
      }),
    ),
    secretAccessKey: Type.Optional(
      text({ secret: true, derived: "like accessKeyId", description: "The secret of the access key." }),
    ),
    publicBucket: Type.Optional(
      text({
        ...bucketName,
        derived: "none, required",
        description: "The bucket for artifacts whose name starts with `public/`.",
      }),
    ),
    privateBucket: Type.Optional(
      text({
        ...bucketName,
        derived: "none, required",
        description: "The bucket for all other artifacts, and for the objects of the object service.",
      }),
    ),
    forcePathStyle: flag(false, {
      description:
        "Whether the bucket is in the path of URLs instead of the host name. MinIO usually requires it.",
    }),
    signPublicUrls: flag(false, {
      description:
        "Whether URLs of the public bucket are signed. If they are not, the bucket must allow anonymous reads.",
    }),
    cdnUrl: Type.Optional(
      text({
        written: "url",
        ...httpUrl,
        derived: "none",
        description:
          "The URL of a CDN for the public bucket, to which keys are appended. Requests with the header `x-taskcluster-skip-cdn: true` skip it.",
      }),
    ),
    manageCors: flag(true, {
      description:
        "Whether the server adds CORS rules at startup that allow browsers to read from and write to the buckets.",
    }),
  },
);
