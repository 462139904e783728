// What the auth service takes and gives: scopes, clients, and the outcome of checking a request.
import Type, { type Static } from "typebox";
import { DateTime, exactly, named, oneOf, oneOfStrings } from "../schema.ts";

export const CLIENT_ID_PATTERN = "^[A-Za-z0-9!@/:.+|_-]+$";

const ClientId = Type.String({ pattern: CLIENT_ID_PATTERN });
const Scope = Type.String({ pattern: "^[ -~]*$" });
const scopes = (options: { description?: string; default?: string[] } = {}) =>
  Type.Array(Scope, { uniqueItems: true, ...options });

export const scopeSetFile = named("v1/scopeset.json", exactly({ scopes: scopes() }));

export const clientFile = named(
  "v1/get-client-response.json",
  exactly({
    clientId: ClientId,
    expires: Type.String({ format: "date-time", description: "From then on it cannot sign." }),
    description: Type.String({ maxLength: 10240 }),
    scopes: scopes({ default: [], description: "As they were given." }),
    expandedScopes: scopes({ description: "With all that roles add." }),
    disabled: Type.Boolean(),
    deleteOnExpiration: Type.Boolean(),
    created: DateTime,
    lastModified: DateTime,
    lastDateUsed: Type.String({ format: "date-time", description: "Kept only to a few hours." }),
    lastRotated: Type.String({ format: "date-time", description: "When the access token was made." }),
  }),
);
export type ClientReply = Static<typeof clientFile.schema>;

const METHODS =
  "get post put head delete options trace copy lock mkcol move purge propfind proppatch unlock report mkactivity " +
  "checkout merge m-search notify subscribe unsubscribe patch search connect";

export const authenticateHawkRequestFile = named(
  "v1/authenticate-hawk-request.json",
  exactly({
    method: oneOfStrings(METHODS.split(" ")),
    resource: Type.String({ description: "Path and query as they came, a bewit included." }),
    host: Type.String({ format: "hostname" }),
    port: Type.Integer({ minimum: 0, maximum: 65535, description: "The port that the client connected to." }),
    authorization: Type.Optional(
      Type.String({ description: "The Authorization header, where there was one." }),
    ),
    sourceIp: Type.Optional(
      Type.Unsafe<string>({ type: "string", oneOf: [{ format: "ipv6" }, { format: "ipv4" }] }),
    ),
  }),
);

export const authenticateHawkReplyFile = named(
  "v1/authenticate-hawk-response.json",
  oneOf(
    exactly(
      {
        status: oneOfStrings(["auth-success"]),
        scheme: oneOfStrings(["hawk"]),
        clientId: ClientId,
        scopes: scopes({ description: "With all that roles add." }),
        expires: DateTime,
        hash: Type.Optional(Type.Unknown({ description: "The hash of the body that was signed." })),
      },
      { description: "The signature is right." },
    ),
    exactly(
      { status: oneOfStrings(["auth-failed"]), message: Type.String() },
      { description: "There are credentials, and they are not." },
    ),
    exactly(
      {
        status: oneOfStrings(["no-auth"]),
        scheme: oneOfStrings(["none"]),
        scopes: scopes(),
        expires: DateTime,
      },
      { description: "There are no credentials." },
    ),
  ),
);

export const testAuthenticateRequestFile = named(
  "v1/test-authenticate-request.json",
  exactly({
    clientScopes: scopes({ default: [], description: "What the client `tester` shall hold." }),
    requiredScopes: scopes({ default: [], description: "What the request shall need." }),
  }),
);

export const testAuthenticateReplyFile = named(
  "v1/test-authenticate-response.json",
  exactly({ clientId: ClientId, scopes: scopes({ default: [] }) }),
);
