// Uploads to a URL that the server has issued, and that expires.
import type { Clock } from "../../lib/clock.ts";

/** How long an upload URL is used. It is valid for 45 minutes, and a PUT must start with time to spare. */
export const URL_LIFETIME_MS = 30 * 60_000;

export interface UrlUpload<T> {
  readonly target: T;
  /** Requests another target, with its own retries. */
  requestUrl(): Promise<T>;
  /** Sends the content. Rejects if the store refuses it. */
  put(target: T): Promise<void>;
  /** Retries `put`. */
  retry(attempt: () => Promise<void>): Promise<void>;
  readonly clock: Clock;
}

/** Uploads to a target that was just requested. A try that starts late gets another one. */
export async function uploadToUrl<T>(upload: UrlUpload<T>): Promise<void> {
  const { requestUrl, put, retry, clock } = upload;
  let { target } = upload;
  let requestedAt = clock.now();
  await retry(async () => {
    if (clock.now() - requestedAt > URL_LIFETIME_MS) {
      target = await requestUrl();
      requestedAt = clock.now();
    }
    await put(target);
  });
}
