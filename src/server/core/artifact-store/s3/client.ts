// Creates the S3 client, configured to work with all S3-compatible servers and not only with AWS.
import { createHash } from "node:crypto";
import { S3Client, S3ServiceException, type S3ClientConfig } from "@aws-sdk/client-s3";
import { FetchHttpHandler } from "@smithy/fetch-http-handler";
import { proxyDispatcher } from "../../../../lib/proxy.ts";

const requestTimeout = 30_000;

export interface S3Connection {
  /** Default: AWS in the region. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly forcePathStyle: boolean;
}

export function createClient(connection: S3Connection): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey, forcePathStyle } = connection;
  const config: S3ClientConfig = {
    region,
    forcePathStyle,
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
    // By default the SDK signs a CRC32 of an empty body into each upload URL, and expects one from other servers.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // The SDK's own handler does not use a proxy. It remains the default because it limits the time of connecting.
    requestHandler: proxyDispatcher()
      ? new FetchHttpHandler({ requestTimeout })
      : { connectionTimeout: 5_000, requestTimeout, throwOnRequestTimeout: true },
  };
  // At each start, the SDK would warn users of Node 20 that its future versions need a newer one. Its version is pinned.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const client = new S3Client(config);
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        if (bucketCommands.has(commandName)) makeCompatible(args.request);
        return next(args);
      },
    { step: "build", priority: "low", name: "compatibleRequests" },
  );
  return client;
}

const bucketCommands = new Set(["DeleteObjectsCommand", "GetBucketCorsCommand", "PutBucketCorsCommand"]);

/**
 * Changes a request on a whole bucket to what all servers support. The SDK puts a slash after the bucket's name, which
 * some servers omit from the signature. If S3 requires a checksum, the SDK sends a CRC, which only AWS accepts
 * everywhere; all servers accept MD5.
 */
function makeCompatible(sdkRequest: unknown): void {
  // The SDK passes its HTTP request to this step. The bodies of these commands are strings.
  const request = sdkRequest as { path: string; headers: Record<string, string>; body?: string };
  request.path = request.path.replace(/(?<=.)\/$/, "");
  if (request.body === undefined) return;
  for (const name of Object.keys(request.headers))
    if (/^x-amz-(checksum|sdk-checksum)-/i.test(name)) delete request.headers[name];
  request.headers["content-md5"] = createHash("md5").update(request.body).digest("base64");
}

/** Returns the code of an S3 error. A reply to HEAD has no body, so its code is derived from the status. */
export function s3Code(error: unknown): string | undefined {
  if (!(error instanceof S3ServiceException)) return undefined;
  return error.$metadata.httpStatusCode === 404 && error.name === "UnknownError" ? "NotFound" : error.name;
}
