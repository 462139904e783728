// Hawk version 1: the texts to be signed, and the formats of headers, bewits, `ext` and certificates. Contains no
// cryptography, so that servers can sign with node:crypto and browsers with WebCrypto.

/** Longer headers, and longer URLs with a bewit, are refused before anything is parsed. */
export const MAX_HAWK_LENGTH = 4096;

/** Why credentials are refused. Metrics use it as a label. */
export type HawkErrorKind =
  /** The header or bewit is malformed, or the request may not carry it. */
  | "form"
  /** `ext`, its certificate or its scopes are invalid. */
  | "ext"
  /** The client does not exist, is disabled or has expired. */
  | "client"
  /** The signature is too old, or from the future. */
  | "time"
  /** The MAC does not match. */
  | "mac";

/**
 * Credentials are refused. The message is meant for the caller; many are those of the protocol, which clients compare. `advice`
 * adds what the caller can do.
 */
export class HawkError extends Error {
  override readonly name = "HawkError";
  readonly kind: HawkErrorKind;
  readonly advice: string;
  constructor(kind: HawkErrorKind, message: string, advice = adviceFor[kind]) {
    super(message);
    this.kind = kind;
    this.advice = advice;
  }
}

const adviceFor: Readonly<Record<HawkErrorKind, string>> = {
  form: "Correct the Authorization header or the bewit, or sign the request with a client library.",
  ext: "Create the temporary credentials again, or correct authorizedScopes.",
  client: "Check the client id and the root URL, or get new credentials.",
  time: "Get new credentials, or a new signed URL.",
  mac:
    "Check the access token and the root URL: the token is another one, or a proxy changed the method, the host, the port or the " +
    "path that was signed.",
};

/** The content of an Authorization header. `ts` is in seconds, as the text that was signed. */
export interface HawkHeader {
  readonly id: string;
  readonly ts: string;
  readonly nonce: string;
  readonly mac: string;
  readonly hash?: string;
  readonly ext?: string;
}

/** The content of a bewit. `exp` is in seconds, as the text that was signed. `ext` is empty if absent. */
export interface Bewit {
  readonly id: string;
  readonly exp: string;
  readonly mac: string;
  readonly ext: string;
}

/** The certificate of temporary credentials. `start` and `expiry` are in milliseconds since the epoch. */
export interface Certificate {
  readonly version: 1;
  readonly scopes: readonly string[];
  readonly start: number;
  readonly expiry: number;
  readonly seed: string;
  readonly signature: string;
  /** The client that signed. Only in named credentials. */
  readonly issuer?: string;
}

interface Target {
  /** Path and query as on the wire. */
  readonly resource: string;
  readonly host: string;
  readonly port: number | string;
  readonly ext?: string | undefined;
}

/** Returns the text to sign for an Authorization header. `ts` is in seconds. */
export function headerText(
  request: Target & {
    readonly ts: number | string;
    readonly nonce: string;
    readonly method: string;
    readonly hash?: string | undefined;
  },
): string {
  const { ts, nonce, method, hash = "" } = request;
  return normalized("header", ts, nonce, method.toUpperCase(), hash, request);
}

/** Returns the text to sign for a bewit. `resource` excludes the bewit, `exp` is in seconds. */
export const bewitText = (request: Target & { readonly exp: number | string }): string =>
  normalized("bewit", request.exp, "", "GET", "", request);

function normalized(
  type: string,
  ts: number | string,
  nonce: string,
  method: string,
  hash: string,
  { resource, host, port, ext = "" }: Target,
): string {
  const escapedExt = ext.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `hawk.1.${type}\n${ts}\n${nonce}\n${method}\n${resource}\n${host.toLowerCase()}\n${port}\n${hash}\n${escapedExt}\n`;
}

/** Returns the text that a payload hash covers before the body. The body and one newline follow. */
export const payloadHead = (contentType: string | undefined): string =>
  `hawk.1.payload\n${(contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? ""}\n`;

/** Returns the value of an Authorization header. */
export function authorizationHeader(header: {
  readonly id: string;
  readonly ts: number | string;
  readonly nonce: string;
  readonly mac: string;
  readonly hash?: string | undefined;
  readonly ext?: string | undefined;
}): string {
  const { id, ts, nonce, mac, hash, ext } = header;
  const hashPart = hash ? `, hash="${hash}"` : "";
  const extPart = ext ? `, ext="${ext}"` : "";
  return `Hawk id="${id}", ts="${ts}", nonce="${nonce}"${hashPart}${extPart}, mac="${mac}"`;
}

const attribute = /(\w+)="([ !#-[\]-~]+)"\s*(?:,\s*|$)/y;
const attributeNames = new Set(["id", "ts", "nonce", "hash", "ext", "mac", "app", "dlg"]);

/** Parses an Authorization header. Throws {@link HawkError}. */
export function parseAuthorizationHeader(header: string): HawkHeader {
  if (header.length > MAX_HAWK_LENGTH) throw new HawkError("form", "Bad Request: Header length too long");
  const scheme = /^\w+/.exec(header)?.[0];
  if (scheme === undefined) throw new HawkError("form", "Bad Request: Invalid header syntax");
  if (scheme.toLowerCase() !== "hawk") {
    throw new HawkError(
      "form",
      `Unauthorized: the Authorization header must use the scheme Hawk, not ${scheme}`,
    );
  }
  const attributes = parseAttributes(header, scheme.length);
  const { id, ts, nonce, mac, hash, ext } = attributes;
  if (!id || !ts || !nonce || !mac) throw new HawkError("form", "Bad Request: Missing attributes");
  // `app` and `dlg` belong to a protocol on top of Hawk and would change the text to sign.
  if (attributes["app"] ?? attributes["dlg"])
    throw new HawkError("form", "Bad Request: app and dlg are not supported");
  return { id, ts, nonce, mac, ...(hash && { hash }), ...(ext && { ext }) };
}

function parseAttributes(header: string, from: number): Record<string, string | undefined> {
  const rest = /\s+(?=\S)/y;
  rest.lastIndex = from;
  if (!rest.test(header)) throw new HawkError("form", "Bad Request: Invalid header syntax");
  const found: Record<string, string | undefined> = Object.create(null);
  attribute.lastIndex = rest.lastIndex;
  while (attribute.lastIndex < header.length) {
    const [, name, value] = attribute.exec(header) ?? [];
    if (name === undefined || value === undefined)
      throw new HawkError("form", "Bad Request: Bad header format");
    if (!attributeNames.has(name)) throw new HawkError("form", `Bad Request: Unknown attribute: ${name}`);
    if (found[name] !== undefined) throw new HawkError("form", `Bad Request: Duplicate attribute: ${name}`);
    found[name] = value;
  }
  return found;
}

/** Returns the value of a `bewit` query parameter. */
export const encodeBewit = (bewit: {
  readonly id: string;
  readonly exp: number | string;
  readonly mac: string;
  readonly ext?: string | undefined;
}): string => base64Url(`${bewit.id}\\${bewit.exp}\\${bewit.mac}\\${bewit.ext ?? ""}`);

/** Parses the value of a `bewit` query parameter. Throws {@link HawkError}. */
export function parseBewit(encoded: string): Bewit {
  if (encoded === "") throw new HawkError("form", "Unauthorized: Empty bewit");
  const text = /^[\w-]+$/.test(encoded) ? fromBase64(encoded) : undefined;
  if (text === undefined) throw new HawkError("form", "Bad Request: Invalid bewit encoding");
  const [id, exp, mac, ext, ...more] = text.split("\\");
  if (ext === undefined || more.length > 0)
    throw new HawkError("form", "Bad Request: Invalid bewit structure");
  if (!id || !exp || !mac) throw new HawkError("form", "Bad Request: Missing bewit attributes");
  return { id, exp, mac, ext };
}

/**
 * Splits a path with query into the value of the bewit and the signed resource. Returns `undefined` if the query has no
 * bewit. Only the last of several bewits counts; the others are part of the signed text.
 */
export function splitBewit(resource: string): { bewit: string; resource: string } | undefined {
  const query = resource.indexOf("?");
  const at = Math.max(resource.lastIndexOf("?bewit="), resource.lastIndexOf("&bewit="));
  if (query < 0 || at < query) return undefined;
  const start = at + "?bewit=".length;
  const next = resource.indexOf("&", start);
  const bewit = resource.slice(start, next < 0 ? undefined : next);
  // The rest keeps the separator that preceded the bewit.
  const rest = next < 0 || next === resource.length - 1 ? "" : `${resource[at]}${resource.slice(next + 1)}`;
  return { bewit, resource: resource.slice(0, at) + rest };
}

/** Returns the `ext` of a header or bewit: base64 of a JSON object. */
export const encodeExt = (ext: {
  readonly certificate?: unknown;
  readonly authorizedScopes?: readonly string[] | undefined;
}): string => toBase64(JSON.stringify(ext));

/** Parses `ext`. Accepts both alphabets of base64, with or without padding. Throws {@link HawkError}. */
export function decodeExt(ext: string): {
  readonly certificate?: unknown;
  readonly authorizedScopes?: unknown;
} {
  const text = fromBase64(ext);
  if (text !== undefined) {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    } catch {
      // Not JSON: refused below, like everything that is not an object.
    }
  }
  throw new HawkError("ext", "Failed to parse ext");
}

/** Returns the text to sign for a certificate. `clientId` is the name, which is signed only if there is an issuer. */
export function certificateText(certificate: Omit<Certificate, "signature">, clientId: string): string {
  const { version, issuer, seed, start, expiry, scopes } = certificate;
  const name = issuer === undefined ? "" : `clientId:${clientId}\nissuer:${issuer}\n`;
  return `version:${version}\n${name}seed:${seed}\nstart:${start}\nexpiry:${expiry}\nscopes:\n${scopes.join("\n")}`;
}

// Ids and scopes are ASCII, which needs no conversion to bytes: reading 900 characters takes 3 µs without it and 64 µs with
// it.
const ascii = /^[\0-\x7f]*$/;

function toBase64(text: string): string {
  if (ascii.test(text)) return btoa(text);
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

const base64Url = (text: string): string =>
  toBase64(text)
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/={1,2}$/, "");

/** Decodes base64 of either alphabet. Returns `undefined` if the text is neither. */
function fromBase64(encoded: string): string | undefined {
  try {
    const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
    if (ascii.test(binary)) return binary;
    return new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
