// The key that signs now. Every process uses the same one, because the database decides which it is for each token.
import { ApiError } from "../../../lib/errors.ts";
import { contextOf } from "../../core/encryption/encrypted-column.ts";
import { timestamp } from "../../core/timestamp.ts";
import type { IdentityContext } from "./context.ts";
import { signingKeyOf, type SigningKey } from "./signing-key.ts";
import { privateKeys, readPrivateKey, readSigningKid } from "./store.ts";

/** A revocation, or two between two statements. */
const replaced = (): ApiError =>
  new ApiError("ServiceUnavailable", "The keys of tokens were replaced at this moment. Repeat the call.");

/** Returns a function that returns the key that signs now. It keeps the last one decrypted. Adds the first key if there is none. */
export function keyInUse(ctx: IdentityContext, addFirst: () => Promise<void>): () => Promise<SigningKey> {
  const { db, keyRing } = ctx;
  let last: SigningKey | undefined;

  async function signingKid(): Promise<string> {
    const found = await readSigningKid(db, timestamp(ctx));
    if (found !== undefined) return found;
    await addFirst();
    const added = await readSigningKid(db, timestamp(ctx));
    if (added === undefined) throw replaced();
    return added;
  }

  return async () => {
    const kid = await signingKid();
    if (last?.kid !== kid) {
      const stored = await readPrivateKey(db, kid);
      if (stored === undefined) throw replaced();
      last = signingKeyOf(kid, await keyRing.decrypt(stored, contextOf(privateKeys, kid)));
    }
    return last;
  };
}
