// Settings of the store that holds the content of artifacts and objects.
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

export const artifacts = section("Where the bytes of artifacts and objects are.", {
  store: choice(["local", "s3"], {
    preset: "local",
    description:
      "`local` keeps them in a folder, and this server serves them; `s3` in two buckets that clients reach themselves. What is in one store is not seen in the other.",
  }),
  dir: path({ derived: "artifacts in the home folder", description: "The folder of the local store." }),
  maxSize: size("50GB", { description: "The largest upload to the local store." }),
  signedUrlExpires: duration("30m", {
    max: "7d",
    description: "How long a signed download URL is valid.",
  }),
});

export const s3 = section(
  "S3 or what speaks its protocol (MinIO, Ceph, Swift …), where `artifacts.store` is `s3`.",
  {
    endpoint: Type.Optional(
      text({
        written: "url",
        ...httpUrl,
        derived: "AWS, in the region",
        description: "Where the store is, if it is not AWS.",
      }),
    ),
    publicEndpoint: Type.Optional(
      text({
        written: "url",
        ...httpUrl,
        derived: "the endpoint",
        description: "Where clients reach the store, if that is not where this server reaches it.",
      }),
    ),
    region: text({
      preset: "us-east-1",
      description: "The region of the buckets. Other stores mostly take any.",
    }),
    accessKeyId: Type.Optional(
      text({
        derived: "where AWS's own tools look: `AWS_ACCESS_KEY_ID`, `~/.aws`, the role of the machine",
        description: "The key that reads, writes and deletes in both buckets.",
      }),
    ),
    secretAccessKey: Type.Optional(
      text({ secret: true, derived: "as accessKeyId", description: "The secret that belongs to it." }),
    ),
    publicBucket: Type.Optional(
      text({
        ...bucketName,
        derived: "none: it must be set",
        description: "For artifacts whose name begins with `public/`.",
      }),
    ),
    privateBucket: Type.Optional(
      text({
        ...bucketName,
        derived: "none: it must be set",
        description: "For all other artifacts, and for the objects of the object service.",
      }),
    ),
    forcePathStyle: flag(false, {
      description: "Whether the bucket stands in the URL's path and not in its host name, as MinIO wants it.",
    }),
    signPublicUrls: flag(false, {
      description:
        "Whether URLs of the public bucket are signed. If so, nobody else needs to be able to read it; if not, everybody must.",
    }),
    cdnUrl: Type.Optional(
      text({
        written: "url",
        ...httpUrl,
        derived: "none",
        description:
          "What serves the public bucket's content: its keys are appended. Skipped by requests with the header `x-taskcluster-skip-cdn: true`.",
      }),
    ),
    manageCors: flag(true, {
      description:
        "Whether the server, when it starts, sees to it that browsers may read from and write to the buckets.",
    }),
  },
);
