// Settings for the S3 server of the tests. In a separate file, since most tests do not need to load that server.

/** The only key that the server accepts. */
export const s3Key = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" } as const;
export const s3Buckets = { publicBucket: "public-artifacts", privateBucket: "private-artifacts" } as const;
