// How a server reaches the S3 server of the tests; apart from it, for most tests have no need to load that.

/** The one key that the server knows. */
export const s3Key = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" } as const;
export const s3Buckets = { publicBucket: "public-artifacts", privateBucket: "private-artifacts" } as const;
