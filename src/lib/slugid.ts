// Slugids: version 4 UUIDs in 22 characters of URL-safe base64. Ids of tasks and groups, and certificate seeds.

/**
 * Matches exactly the slugids of version 4 UUIDs. The version and variant bits leave four and sixteen choices for the
 * 9th and 11th characters, and the last character carries only two bits.
 */
export const SLUGID_PATTERN = "^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$";

const slugidRegExp = new RegExp(SLUGID_PATTERN);
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Returns a random slugid. One in sixty-four starts with `-`: put slugids after `--` on a command line. */
export function slugid(): string {
  // Not `crypto.randomUUID()`: browsers provide it on https pages only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  let slug = "";
  // Three bytes make four characters. The two zero bytes read past the end are the padding of base64.
  for (let i = 0; i < 16; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let shift = 18; shift >= 0; shift -= 6) slug += alphabet.charAt((group >> shift) & 63);
  }
  return slug.slice(0, 22);
}

/** Reports whether `text` is the slugid of a version 4 UUID. */
export const isSlugid = (text: string): boolean => slugidRegExp.test(text);

/** Returns the UUID of a slugid, in lower case with hyphens. Throws if `slug` is not a slugid. */
export function slugToUuid(slug: string): string {
  if (!isSlugid(slug))
    throw new Error(`'${slug}' is not a slugid: expected the 22 characters of a version 4 UUID`);
  const binary = atob(slug.replaceAll("-", "+").replaceAll("_", "/"));
  let hex = "";
  for (const char of binary) hex += char.charCodeAt(0).toString(16).padStart(2, "0");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
