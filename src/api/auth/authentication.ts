// Schemas of the methods that verify signatures.
import Type from "typebox";
import { DateTime, exactly, named, oneOf, oneOfStrings } from "../schema.ts";
import { ClientId, scopes } from "./scopes.ts";

const METHODS =
  "get post put head delete options trace copy lock mkcol move purge propfind proppatch unlock report mkactivity " +
  "checkout merge m-search notify subscribe unsubscribe patch search connect";

export const authenticateHawkRequestFile = named(
  "v1/authenticate-hawk-request.json",
  exactly({
    method: oneOfStrings(METHODS.split(" ")),
    resource: Type.String({ description: "Path and query as received, including a bewit." }),
    host: Type.String({ format: "hostname" }),
    port: Type.Integer({ minimum: 0, maximum: 65535, description: "The port that the client connected to." }),
    authorization: Type.Optional(Type.String({ description: "The Authorization header, if any." })),
    sourceIp: Type.Optional(
      Type.Unsafe<string>({
        type: "string",
        oneOf: [{ format: "ipv6" }, { format: "ipv4" }],
        examples: ["192.0.2.7"],
      }),
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
        scopes: scopes({ description: "The scopes of the caller, with those that roles grant." }),
        expires: DateTime,
        hash: Type.Optional(Type.Unknown({ description: "The signed hash of the body." })),
      },
      { description: "The signature is valid." },
    ),
    exactly(
      { status: oneOfStrings(["auth-failed"]), message: Type.String() },
      { description: "The credentials are invalid." },
    ),
    exactly(
      {
        status: oneOfStrings(["no-auth"]),
        scheme: oneOfStrings(["none"]),
        scopes: scopes(),
        expires: DateTime,
      },
      { description: "The request has no credentials." },
    ),
  ),
);

export const testAuthenticateRequestFile = named(
  "v1/test-authenticate-request.json",
  exactly({
    clientScopes: scopes({
      default: [],
      description: "The scopes that the client `tester` is assumed to have.",
    }),
    requiredScopes: scopes({
      default: [],
      description: "The scopes that the request is assumed to require.",
    }),
  }),
);

export const testAuthenticateReplyFile = named(
  "v1/test-authenticate-response.json",
  exactly({ clientId: ClientId, scopes: scopes({ default: [] }) }),
);
