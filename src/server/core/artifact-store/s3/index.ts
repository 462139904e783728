// The S3 store's face. Loaded only where it is configured: the SDK takes a quarter of a second and 12 MB.
export { prepareBuckets } from "./bucket-cors.ts";
export { createS3Store } from "./s3-store.ts";
