// The public API of the S3 store. Loaded only if configured: loading the SDK takes a quarter of a second and 12 MB.
export { prepareBuckets } from "./bucket-cors.ts";
export { createS3Store } from "./s3-store.ts";
