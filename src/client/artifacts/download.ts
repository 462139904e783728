// Downloads an artifact as a stream, and verifies its hash.
import type { Hashes } from "../../api/object/schemas.ts";
import type { TaskCredentials } from "../../api/queue/claim.ts";
import type { Services } from "../../api/services.ts";
import type { Transport } from "../call.ts";
import { ClientError } from "../client-error.ts";
import type { ServiceMethods } from "../service-client.ts";
import { createDigest, digestAlgorithms } from "./digest.ts";
import type { OnProgress } from "./progress.ts";
import { openResumedStream } from "./resumed-stream.ts";

export interface ArtifactRequest {
  readonly taskId: string;
  /** Default: the latest run. */
  readonly runId?: number | string | undefined;
  readonly name: string;
  readonly onProgress?: OnProgress | undefined;
  /** Ends the download. The promise or the stream then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface ArtifactDownload {
  /**
   * The content. It ends without an error only if the content is complete and matches `hashes`. A connection that breaks is
   * resumed. `new Response(body)` has methods to read it as text or JSON.
   */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly contentType: string;
  /** In bytes, if the store states it. */
  readonly size: number | undefined;
  /** The hashes to which the content is compared: `sha256` and `sha512`. Artifacts of type `object` have them. */
  readonly hashes: Hashes;
}

type ObjectDownloads = Pick<ServiceMethods<Services["object"]>, "startDownload">;

/** The services that a download calls. */
export interface DownloadServices {
  readonly queue: Pick<ServiceMethods<Services["queue"]>, "artifact" | "latestArtifact">;
  readonly object: { withCredentials(credentials: TaskCredentials): ObjectDownloads };
}

/** Where the content of an artifact is now. */
export interface ArtifactLocation {
  readonly url: string;
  /** Those that are known. */
  readonly hashes: Hashes;
}

/** The artifact that errors name, and where it is. */
export interface LocatedArtifact extends Pick<ArtifactRequest, "name" | "onProgress" | "signal"> {
  /** Called for each connection. Does not retry. */
  locate(): Promise<ArtifactLocation>;
}

const method = "artifacts.download";

/** Resolves as soon as the content arrives. Rejects with a `ClientError`, or with the reason of the caller's signal. */
export const downloadArtifact = (
  transport: Transport,
  services: DownloadServices,
  artifact: ArtifactRequest,
): Promise<ArtifactDownload> =>
  downloadLocated(transport, { ...artifact, locate: () => locateArtifact(services, artifact) });

/** Downloads an artifact as `downloadArtifact` does, from where the caller locates it. */
export async function downloadLocated(
  { fetch, clock, retries }: Pick<Transport, "fetch" | "clock" | "retries">,
  artifact: LocatedArtifact,
): Promise<ArtifactDownload> {
  const { signal, onProgress } = artifact;
  let hashes: Hashes = {};
  const locate = async (): Promise<string> => {
    const location = await artifact.locate();
    ({ hashes } = location);
    return location.url;
  };
  const stream = await openResumedStream({ fetch, clock, retries, method, signal, locate });
  const { contentType, size } = stream;
  const chunks = verified(stream.chunks, hashes, artifact.name);
  let bytes = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        const { value, done } = await chunks.next();
        if (done === true) return controller.close();
        bytes += value.length;
        controller.enqueue(value);
        onProgress?.({ bytes, total: size });
      },
      async cancel() {
        stream.cancel();
        await chunks.return();
      },
    },
    // Nothing is read in advance.
    { highWaterMark: 0 },
  );
  onProgress?.({ bytes, total: size });
  return { body, contentType, size, hashes };
}

async function locateArtifact(
  { queue, object }: DownloadServices,
  artifact: ArtifactRequest,
): Promise<ArtifactLocation> {
  const { taskId, runId, name, signal } = artifact;
  const options = { signal, retries: 0 };
  const content =
    runId === undefined
      ? await queue.latestArtifact({ taskId, name }, options)
      : await queue.artifact({ taskId, runId, name }, options);
  if (content.storageType === "error") {
    const { reason, message } = content;
    throw new ClientError(
      `the artifact ${name} of ${taskId} has no content: ${message || reason}. See the log of the task.`,
      {
        method,
        code: "NoContent",
        body: { reason, message },
      },
    );
  }
  if (content.storageType !== "object") return { url: content.url, hashes: {} };
  const accepted = { acceptDownloadMethods: { getUrl: true, simple: true } } as const;
  const objects = object.withCredentials(content.credentials);
  const download = await objects.startDownload({ name: content.name }, accepted, options);
  return { url: download.url, hashes: download.method === "getUrl" ? download.hashes : {} };
}

/** Yields the chunks, and throws after the last one if they do not match a hash. */
async function* verified(
  chunks: AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>,
  hashes: Hashes,
  name: string,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const known = digestAlgorithms.filter((algorithm) => hashes[algorithm] !== undefined);
  const digests = await Promise.all(
    known.map(async (algorithm) => ({ algorithm, digest: await createDigest(algorithm) })),
  );
  for await (const chunk of chunks) {
    for (const { digest } of digests) digest.update(chunk);
    yield chunk;
  }
  for (const { algorithm, digest } of digests) {
    const actual = digest.hex();
    if (actual === hashes[algorithm]) continue;
    throw new ClientError(
      `the content of ${name} has the ${algorithm} ${actual} instead of ${hashes[algorithm]}: it was damaged. Download it again, or rerun the task.`,
      { method, code: "HashMismatch" },
    );
  }
}
