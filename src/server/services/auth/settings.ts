// Settings of authentication and authorization.
import Type from "typebox";
import type { ConfigProblem } from "../../core/config/problem.ts";
import type { SettingsOf } from "../../core/service.ts";
import { duration, list, section, text } from "../../../lib/setting.ts";

const accessTokenPattern = "^[A-Za-z0-9_-]{22,66}$";

const scope = Type.String({ pattern: "^[\\x20-\\x7e]*$", expected: "a scope of printable ASCII characters" });

const staticClient = Type.Object(
  {
    clientId: Type.String({
      pattern: "^static/[A-Za-z0-9!@/:.+|_-]+$",
      expected: "a client id that starts with static/",
    }),
    accessToken: Type.String({
      pattern: accessTokenPattern,
      expected: "22 to 66 characters of A-Z a-z 0-9 _ -",
    }),
    description: Type.Optional(Type.String()),
    scopes: Type.Array(scope),
  },
  { additionalProperties: false },
);

const auth = section("Clients and their scopes.", {
  rootClientId: text({
    preset: "static/taskcluster/root",
    pattern: "^static/[A-Za-z0-9!@/:.+|_-]+$",
    expected: "a client id that starts with static/",
    description: "The id of the client that may do everything, for first steps and emergencies.",
  }),
  rootAccessToken: Type.Optional(
    text({
      secret: true,
      pattern: accessTokenPattern,
      expected: "22 to 66 characters of A-Z a-z 0-9 _ -",
      derived: "generated at the first start of `taskyard up` and stored in secrets.json of the home folder",
      description: "The access token of the root client.",
    }),
  ),
  secret: Type.Optional(
    text({
      secret: true,
      pattern: "^.{22,}$",
      expected: "22 characters or more",
      derived: "generated at the first start of `taskyard up` and stored in secrets.json of the home folder",
      description:
        "The key that signs what this server issues, such as artifact URLs; the same in all processes of an instance.",
    }),
  ),
  staticClients: list(staticClient, [], {
    secret: true,
    description:
      "Clients defined in the configuration: a list of clientId (static/…), accessToken, description, scopes.",
  }),
  anonymousScopes: list(scope, [], {
    description:
      "Scopes of callers without credentials in addition to those of `access`, such as `queue:status:*` for generic-worker. " +
      "Together they are the first content of the role `anonymous`, which can then be changed like other roles. With `access: closed`, the role in the database has no effect, and these scopes are the only ones.",
  }),
  websocktunnelSecret: Type.Optional(
    text({
      secret: true,
      pattern: "^.{22,}$",
      expected: "22 characters or more",
      derived: "none; websocktunnelToken returns 404",
      description:
        "The secret that websocktunnel shares with this server, which signs tokens for workers with it.",
    }),
  ),
  hawkSkew: duration("15m", { description: "Maximum difference between a client's clock and the server's." }),
});

export const settings = { auth };

/** Lists the client ids that the configuration gives to more than one client. */
export function contradictions({ auth }: SettingsOf<typeof settings>): readonly ConfigProblem[] {
  const seen = new Set([auth.rootClientId]);
  return auth.staticClients.flatMap(({ clientId }, i) => {
    if (!seen.has(clientId)) {
      seen.add(clientId);
      return [];
    }
    const other = clientId === auth.rootClientId ? "auth.rootClientId" : "another of auth.staticClients";
    const problem = `has the same clientId as ${other}: give each client a separate id`;
    return [{ key: `auth.staticClients[${i}]`, origin: "all settings together", value: clientId, problem }];
  });
}
