// Signs URLs with which clients reach the store directly.
import {
  PutObjectCommand,
  type S3Client,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Clock } from "../../../../lib/clock.ts";

/** S3's maximum: seven days. */
const MAX_LIFETIME_S = 7 * 86_400;

/** Signs the URL of a command. It is valid until `expires`, in milliseconds since the epoch. */
export type Sign = <I extends ServiceInputTypes, O extends ServiceOutputTypes>(
  command: Parameters<typeof getSignedUrl<ServiceInputTypes, I, O>>[1],
  expires: number,
) => Promise<string>;

export const createSign =
  (client: S3Client, clock: Clock): Sign =>
  (command, expires) =>
    getSignedUrl(client, command, {
      signingDate: new Date(clock.now()),
      expiresIn: Math.min(Math.ceil((expires - clock.now()) / 1000), MAX_LIFETIME_S),
      // By default the type is not signed, and the holder of the URL could upload content of any type. Parts have no
      // type.
      signableHeaders: new Set([
        "host",
        ...(command instanceof PutObjectCommand ? ["content-type", "content-length"] : []),
      ]),
    });
