// Signs requests and URLs with Hawk, by WebCrypto alone, so that browsers can do it as well. (Browsers offer
// WebCrypto on https pages and on localhost only.)
import {
  authorizationHeader,
  bewitText,
  encodeBewit,
  encodeExt,
  headerText,
  MAX_HAWK_LENGTH,
  type Certificate,
} from "../lib/hawk.ts";
import { slugid } from "../lib/slugid.ts";

/** Who calls. The certificate, of temporary credentials, as JSON text or parsed. */
export interface Credentials {
  readonly clientId: string;
  readonly accessToken: string;
  readonly certificate?: string | Certificate | undefined;
}

export interface Signer {
  /** The Authorization header of a request. `now` is milliseconds since the epoch. */
  header(method: string, url: string, now: number): Promise<string>;
  /** The URL with a bewit, which lets anybody GET it until `expires`, in milliseconds since the epoch. */
  signUrl(url: string, expires: number): Promise<string>;
}

/** Prepares signing; `authorizedScopes` limits what the signed requests may do. Throws where the certificate is broken. */
export function createSigner(credentials: Credentials, authorizedScopes?: readonly string[]): Signer {
  const { clientId, accessToken } = credentials;
  const certificate = parseCertificate(credentials.certificate);
  const ext = certificate || authorizedScopes ? encodeExt({ certificate, authorizedScopes }) : undefined;
  const key = lazy(() => hmacKey(accessToken));
  const mac = async (text: string): Promise<string> => base64(await hmac(await key(), text));

  return {
    async header(method, url, now) {
      const ts = Math.floor(now / 1000);
      const nonce = slugid().slice(0, 8);
      const text = headerText({ ...targetOf(url), ts, nonce, method, ext });
      const header = authorizationHeader({ id: clientId, ts, nonce, mac: await mac(text), ext });
      if (header.length > MAX_HAWK_LENGTH) {
        throw new Error(
          `the signature of the request is ${header.length} characters long, and servers take ${MAX_HAWK_LENGTH} at most: use fewer or shorter scopes in the temporary credentials or authorizedScopes`,
        );
      }
      return header;
    },
    async signUrl(url, expires) {
      const exp = Math.floor(expires / 1000);
      const text = bewitText({ ...targetOf(url), exp, ext });
      const bewit = encodeBewit({ id: clientId, exp, mac: await mac(text), ext });
      const signed = new URL(url);
      // Appended by hand: URLSearchParams would write the rest of the query anew, and it is signed as it is.
      signed.search += `${signed.search ? "&" : "?"}bewit=${bewit}`;
      return signed.href;
    },
  };
}

// The name of the type is a global in browsers only.
type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** HMAC-SHA-256 of a text. */
export async function hmac(key: Key, text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text)));
}

export const hmacKey = (secret: string): Promise<Key> =>
  crypto.subtle.importKey("raw", new TextEncoder().encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);

export const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

function targetOf(url: string): { resource: string; host: string; port: number | string } {
  const { hostname, port, protocol, pathname, search } = new URL(url);
  return { resource: pathname + search, host: hostname, port: port || (protocol === "https:" ? 443 : 80) };
}

function parseCertificate(certificate: string | Certificate | undefined): unknown {
  if (typeof certificate !== "string") return certificate;
  if (certificate === "") return undefined;
  try {
    return JSON.parse(certificate);
  } catch (error) {
    throw new Error("the certificate of the credentials is not JSON", { cause: error });
  }
}

function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
