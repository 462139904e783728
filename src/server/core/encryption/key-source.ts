// Where the keys of an instance come from: its configuration, or a file that a rotation can replace.
import type { CoreConfig } from "../config/core-settings.ts";
import { parseKey, type EncryptionKey } from "./encryption-key.ts";
import { currentStamp, readKeyFile } from "./key-file.ts";

/** Keys in the order of the configuration, or the path of a key file. */
export type KeySource = { readonly keys: readonly string[] } | { readonly file: string };

export interface LoadedKeys {
  /** The first one encrypts. */
  readonly keys: readonly [EncryptionKey, ...EncryptionKey[]];
  /** Undefined for keys that cannot change while the process runs. */
  readonly stamp: string | undefined;
}

/** Returns the source in the settings, if they have one. */
export function keySourceOf({ encryption }: Pick<CoreConfig, "encryption">): KeySource | undefined {
  if (encryption.keyFile !== undefined) return { file: encryption.keyFile };
  return encryption.keys.length > 0 ? { keys: encryption.keys } : undefined;
}

export async function loadKeys(source: KeySource): Promise<LoadedKeys> {
  const { keys, stamp } =
    "file" in source ? await readKeyFile(source.file) : { keys: source.keys.map(parseKey), stamp: undefined };
  // Without repetitions.
  const [first, ...others] = new Map(keys.map((key) => [key.id, key])).values();
  if (first === undefined)
    throw new Error("there is no encryption key: set `encryption.keys` or `encryption.keyFile`");
  return { keys: [first, ...others], stamp };
}

/** Reports whether the source has changed since these keys were loaded. */
export const hasChanged = async (source: KeySource, { stamp }: LoadedKeys): Promise<boolean> =>
  "file" in source && (await currentStamp(source.file)) !== stamp;
