// Encrypts and decrypts values for the services. Follows a rotation of the keys while the process runs.
import { ApiError } from "../../../lib/errors.ts";
import type { Db } from "../db.ts";
import type { Log } from "../log.ts";
import { decryptWith, encryptWith, keyIdOf } from "./cipher.ts";
import type { EncryptionKey } from "./encryption-key.ts";
import { hasChanged, loadKeys, type KeySource, type LoadedKeys } from "./key-source.ts";
import { addKey, isOfRetiredKey } from "./store.ts";

export interface KeyRing {
  /** Encrypts a text with the newest key. `context` identifies column and row, see `contextOf`. Call it inside `writing`. */
  encrypt(plain: string, context: string): Promise<string>;
  /** Decrypts a stored text with the context that it was encrypted with. */
  decrypt(stored: string, context: string): Promise<string>;
  /**
   * Runs a function that encrypts values and stores them. Runs it again if a rotation retired the key between the two, which
   * the database refuses.
   */
  writing<R>(write: () => Promise<R>): Promise<R>;
}

export interface KeyRingOptions {
  readonly source: KeySource;
  readonly loaded: LoadedKeys;
  readonly db: Db;
  readonly log: Log;
}

/** A stored value needs a key that this process does not have. */
class MissingKey extends Error {
  readonly keyId: string;
  constructor(keyId: string, context: string) {
    super(
      `the stored value of ${context} needs the encryption key ${keyId}, which this process does not have. ` +
        "Add that key after the first one, in `encryption.keys` or in the key file.",
    );
    this.name = "MissingKey";
    this.keyId = keyId;
  }
}

const retired = (): ApiError =>
  new ApiError(
    "ServiceUnavailable",
    "This server cannot store encrypted values, because its encryption key was retired. Start it again with the current keys. " +
      "Nothing was changed.",
  );

/** Rotations that may retire a key between two steps of a write. Each needs a whole rotation in that time. */
const MAX_TRIES = 4;

export function createKeyRing({ source, loaded, db, log }: KeyRingOptions): KeyRing {
  let current = loaded;
  // Also those that a rotation has removed since: a value may have been read before it was encrypted again.
  const known = new Map<string, EncryptionKey>();
  const remember = ({ keys }: LoadedKeys): void => keys.forEach((key) => known.set(key.id, key));
  remember(loaded);
  let reading: Promise<void> | undefined;
  /** The key that is known to be usable. */
  let registered: string | undefined;

  /** Loads the keys again. Concurrent calls share one load. Keeps the keys if their file cannot be read. */
  const reload = (): Promise<void> =>
    (reading ??= readAgain().finally(() => {
      reading = undefined;
    }));

  async function readAgain(): Promise<void> {
    try {
      current = await loadKeys(source);
      remember(current);
    } catch (err) {
      log.error({ err }, "the encryption keys cannot be read again; the old ones are kept");
    }
  }

  async function firstKey(): Promise<EncryptionKey> {
    // Before each value, because another process may have decided to use a new key just now. It takes 50 µs.
    if (await hasChanged(source, current).catch(() => true)) await reload();
    for (let tries = 1; ; tries++) {
      const [key] = current.keys;
      if (key.id === registered || (await addKey(db, key.id))) {
        registered = key.id;
        return key;
      }
      // A rotation may have retired it after the file was read.
      if (tries === MAX_TRIES || !("file" in source)) throw retired();
      await reload();
    }
  }

  return {
    encrypt: async (plain, context) => encryptWith(await firstKey(), plain, context),
    async decrypt(stored, context) {
      const id = keyIdOf(stored, context);
      if (!known.has(id) && "file" in source) await reload();
      const key = known.get(id);
      if (key === undefined) throw new MissingKey(id, context);
      return decryptWith(key, stored, context);
    },
    async writing(write) {
      for (let tries = 1; ; tries++) {
        try {
          return await write();
        } catch (err) {
          if (!isOfRetiredKey(err) || tries === MAX_TRIES) throw err;
          registered = undefined;
          await reload();
        }
      }
    },
  };
}
