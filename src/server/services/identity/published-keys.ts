// The documents by which other systems verify tokens: the configuration and the public keys. Both are served from memory.
import { ApiError } from "../../../lib/errors.ts";
import { jsonDocument, type CachedDocument } from "../../core/http/send-document.ts";
import { startLoop, type Loop } from "../../core/loop.ts";
import type { PublicDocument } from "../../core/service.ts";
import type { WakeUps } from "../../core/wake-ups.ts";
import { CLAIMS } from "./claims.ts";
import type { IdentityContext } from "./context.ts";
import { ALGORITHM } from "./signing-key.ts";
import { keysTopic, readKeys } from "./store.ts";
import { PUBLISHED_BEFORE_MS, READ_INTERVAL_MS } from "./times.ts";

const JWKS_PATH = "/.well-known/jwks.json";

export interface PublishedKeys {
  readonly documents: readonly PublicDocument[];
  /** Reads the keys, and again after each change. */
  start(): void;
  stop(): Promise<void>;
}

interface View {
  readonly isEmpty: boolean;
  readonly document: CachedDocument;
  /** On the monotonic clock, in milliseconds. */
  readonly read: number;
}

export function createPublishedKeys(
  ctx: IdentityContext & { readonly wakeUps: Pick<WakeUps, "subscribe"> },
  addFirst: () => Promise<void>,
): PublishedKeys {
  const { db, clock, monitor, wakeUps, rootUrl } = ctx;
  let view: View | undefined;
  let loop: Loop | undefined;
  let filling: Promise<View> | undefined;

  async function read(): Promise<View> {
    const began = performance.now();
    const keys = (await readKeys(db)).map(({ kid, public_key }) => ({
      // As `newSigningKey` wrote it.
      ...(JSON.parse(public_key) as object),
      kid,
      alg: ALGORITHM,
      use: "sig",
    }));
    const found = { isEmpty: keys.length === 0, document: jsonDocument({ keys }), read: began };
    // Of two concurrent reads, the later one has the newer keys.
    if (view === undefined || view.read <= began) view = found;
    return view;
  }

  /** Reads the keys and adds the first one if there is none. Verifiers may cache what they get, so it must not be empty. */
  async function fill(): Promise<View> {
    const found = await read();
    if (!found.isEmpty) return found;
    await addFirst();
    return read();
  }

  async function keys(): Promise<CachedDocument> {
    if (view === undefined || view.isEmpty)
      await (filling ??= fill().finally(() => {
        filling = undefined;
      }));
    if (view === undefined || performance.now() - view.read > PUBLISHED_BEFORE_MS)
      throw new ApiError(
        "ServiceUnavailable",
        "This server could not read the keys of tokens for a while, so it may lack one. Try again shortly, or another server.",
      );
    return view.document;
  }

  return {
    documents: [
      { path: "/.well-known/openid-configuration", read: configurationOf(rootUrl) },
      { path: JWKS_PATH, read: keys },
    ],
    start() {
      loop = startLoop({
        name: "oidc-keys-view",
        intervalMs: READ_INTERVAL_MS,
        wake: (trigger) => wakeUps.subscribe(keysTopic, trigger),
        clock,
        monitor,
        async runOnce() {
          await read();
          return { more: false };
        },
      });
    },
    stop: async () => loop?.stop(),
  };
}

/** Returns a function that renders the configuration, and again if the root URL has become known meanwhile. */
function configurationOf(rootUrl: () => string): () => Promise<CachedDocument> {
  let last: { readonly issuer: string; readonly document: CachedDocument } | undefined;
  return async () => {
    const issuer = rootUrl();
    if (last?.issuer !== issuer) last = { issuer, document: jsonDocument(configuration(issuer)) };
    return last.document;
  };
}

const configuration = (issuer: string) => ({
  issuer,
  jwks_uri: issuer + JWKS_PATH,
  response_types_supported: ["id_token"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: [ALGORITHM],
  scopes_supported: ["openid"],
  claims_supported: CLAIMS,
});
