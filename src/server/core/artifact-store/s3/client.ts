// The S3 client, set up so that every server that speaks S3 understands it, and not AWS's alone.
import { createHash } from "node:crypto";
import { S3Client, S3ServiceException, type S3ClientConfig } from "@aws-sdk/client-s3";

export interface S3Connection {
  /** AWS, in the region, where it is not given. */
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
    // By default the SDK would sign a CRC32 of an empty body into every upload URL, and expects one of other servers.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true },
  };
  const client = new S3Client(config);
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        if (bucketCommands.has(commandName)) makeCommon(args.request);
        return next(args);
      },
    { step: "build", priority: "low", name: "commonForm" },
  );
  return client;
}

const bucketCommands = new Set(["DeleteObjectsCommand", "GetBucketCorsCommand", "PutBucketCorsCommand"]);

/**
 * Gives a request on a whole bucket the form that every server knows. The SDK puts a slash after the bucket's name,
 * which some leave out of the signature; and where S3 asks for a checksum it gives a CRC, which AWS alone takes
 * everywhere, while MD5 is known to all.
 */
function makeCommon(given: unknown): void {
  // What the SDK hands to this step is its HTTP request; the bodies of these commands are texts.
  const request = given as { path: string; headers: Record<string, string>; body?: string };
  request.path = request.path.replace(/(?<=.)\/$/, "");
  if (request.body === undefined) return;
  for (const name of Object.keys(request.headers))
    if (/^x-amz-(checksum|sdk-checksum)-/i.test(name)) delete request.headers[name];
  request.headers["content-md5"] = createHash("md5").update(request.body).digest("base64");
}

/** The code of an S3 error, or its status where a reply without a body leaves only that. */
export function s3Code(error: unknown): string | undefined {
  if (!(error instanceof S3ServiceException)) return undefined;
  return error.$metadata.httpStatusCode === 404 && error.name === "UnknownError" ? "NotFound" : error.name;
}
