// Verifies the certificates of temporary credentials. The messages are part of the protocol: the test suites of clients assert
// them. The signature comes before the scopes: otherwise the messages would tell anybody which scopes a client has.
import { HawkError, type Certificate } from "../../../../lib/hawk.ts";
import { isValidScope } from "../../../../lib/scopes/normal-form.ts";
import type { ScopeSet } from "../../../../lib/scopes/scope-set.ts";
import { equalInConstantTime } from "../../../core/constant-time.ts";
import { certificateSignature, MAX_CERTIFICATE_MS, type Issuer } from "./temporary-credentials.ts";

/** Tolerates clock differences at start and expiry, so credentials stay valid for this long after their expiry. */
export const CERTIFICATE_LEEWAY_MS = 5 * 60 * 1000;

/** Returns the id of the signing client: the certificate's issuer, or else the caller. Throws {@link HawkError}. */
export function signerOf(certificate: unknown, clientId: string): string {
  if (!isObject(certificate) || certificate["issuer"] === undefined) return clientId;
  const { issuer } = certificate;
  must(typeof issuer === "string", ".issuer must be a string");
  must(issuer !== clientId, ".issuer must differ from the supplied clientId");
  return issuer;
}

/** Checks the form and the times of a certificate. Throws {@link HawkError}. */
export function readCertificate(value: unknown, now: number): Certificate {
  must(isObject(value), " must be a JSON object");
  const { version, seed, start, expiry, scopes, issuer, signature } = value;
  must(version === 1, ".version must be 1");
  must(typeof seed === "string", ".seed must be a string");
  must(seed.length === 44, ".seed must be 44 characters");
  must(typeof start === "number", ".start must be a number");
  must(typeof expiry === "number", ".expiry must be a number");
  must(Array.isArray(scopes), ".scopes must be an array");
  must(isScopeList(scopes), ".scopes must be an array of valid scopes");
  requireCurrent({ start, expiry }, now);
  must(expiry - start <= MAX_CERTIFICATE_MS, " cannot last longer than 31 days!");
  if (issuer === undefined) {
    must(value["clientId"] === undefined, ".clientId must only be used with ext.certificate.issuer");
  }
  return {
    version,
    seed,
    start,
    expiry,
    scopes,
    ...(typeof issuer === "string" && { issuer }),
    // A signature of another type counts as empty, and the check of the signature refuses it.
    signature: typeof signature === "string" ? signature : "",
  };
}

/** Checks that `now` is between start and expiry, with a tolerance of five minutes. Throws {@link HawkError}. */
export function requireCurrent({ start, expiry }: Pick<Certificate, "start" | "expiry">, now: number): void {
  must(start <= now + CERTIFICATE_LEEWAY_MS, ".start > now");
  must(expiry >= now - CERTIFICATE_LEEWAY_MS, ".expiry < now");
}

/** Checks the signature, and that the signer may issue these scopes under this name. Throws {@link HawkError}. */
export function requireSigned(
  certificate: Certificate,
  clientId: string,
  signer: Issuer & { readonly held: ScopeSet },
): void {
  const isNamed = certificate.issuer !== undefined;
  const expected = certificateSignature(signer.accessToken, certificate, clientId);
  must(
    equalInConstantTime(certificate.signature, expected),
    `.signature is not valid${isNamed ? ", or wrong clientId provided" : ""}`,
  );
  const signerText = ` issuer \`${signer.clientId}\` doesn't`;
  const create = `auth:create-client:${clientId}`;
  must(!isNamed || signer.held.satisfies(create), `${signerText} have \`${create}\` for supplied clientId.`);
  if (!certificate.scopes.every((scope) => signer.held.satisfies(scope))) {
    const scopes = certificate.scopes.join(", ");
    refuse(
      `${signerText} satisfy all certificate scopes ${scopes}.  ` +
        "The temporary credentials were not generated correctly.",
    );
  }
}

/** Reports whether every element is a valid scope. */
export const isScopeList = (list: readonly unknown[]): list is readonly string[] =>
  list.every((scope) => typeof scope === "string" && isValidScope(scope));

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function must(holds: boolean, problem: string): asserts holds {
  if (!holds) refuse(problem);
}

function refuse(problem: string): never {
  throw new HawkError("ext", `ext.certificate${problem}`);
}
