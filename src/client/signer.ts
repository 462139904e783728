// Signs requests and URLs with Hawk, in Node and in browsers.
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
import { hmac } from "./hmac.ts";

/** The credentials of a caller. The certificate of temporary credentials may be JSON text or parsed. */
export interface Credentials {
  readonly clientId: string;
  readonly accessToken: string;
  readonly certificate?: string | Certificate | undefined;
}

export interface Signer {
  /** Returns the Authorization header of a request. `now` is in milliseconds since the epoch. */
  header(method: string, url: string, now: number): Promise<string>;
  /** Returns the URL with a bewit: anyone may GET it until `expires`, in milliseconds since the epoch. */
  signUrl(url: string, expires: number): Promise<string>;
}

/** Creates a signer. `authorizedScopes` limit the signed requests. Throws if the certificate is malformed. */
export function createSigner(credentials: Credentials, authorizedScopes?: readonly string[]): Signer {
  const { clientId, accessToken } = credentials;
  const certificate = parseCertificate(credentials.certificate);
  const ext = certificate || authorizedScopes ? encodeExt({ certificate, authorizedScopes }) : undefined;
  const mac = hmac(accessToken);

  return {
    async header(method, url, now) {
      const ts = Math.floor(now / 1000);
      const nonce = slugid().slice(0, 8);
      const text = headerText({ ...targetOf(url), ts, nonce, method, ext });
      const header = authorizationHeader({ id: clientId, ts, nonce, mac: await mac(text), ext });
      if (header.length > MAX_HAWK_LENGTH) {
        throw new Error(
          `the signature of the request has ${header.length} characters, but servers accept at most ${MAX_HAWK_LENGTH}: use fewer or shorter scopes in the temporary credentials or authorizedScopes`,
        );
      }
      return header;
    },
    async signUrl(url, expires) {
      const exp = Math.floor(expires / 1000);
      const text = bewitText({ ...targetOf(url), exp, ext });
      const bewit = encodeBewit({ id: clientId, exp, mac: await mac(text), ext });
      const signed = new URL(url);
      // Appended as text: URLSearchParams would reformat the rest of the query, which is signed as it is.
      signed.search += `${signed.search ? "&" : "?"}bewit=${bewit}`;
      const { length } = signed.pathname + signed.search;
      if (length > MAX_HAWK_LENGTH) {
        throw new Error(
          `the signed URL has ${length} characters after its host, but servers accept at most ${MAX_HAWK_LENGTH}: use fewer or shorter scopes in the temporary credentials or authorizedScopes`,
        );
      }
      return signed.href;
    },
  };
}

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
    throw new Error("the certificate of the credentials must be JSON: use it unchanged", { cause: error });
  }
}
