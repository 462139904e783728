// The methods of the secrets service over HTTP.
import type { secretsApi } from "../../../api/secrets/index.ts";
import { Reply } from "../../core/http/replies.ts";
import type { ServiceHandlers } from "../../core/service.ts";
import type { SecretsUseCases } from "./use-cases.ts";

/** The contract declares no reply. Taskcluster sends an empty object. */
const done = (): Reply => new Reply(200, {});

export const secretsHandlers = (secrets: SecretsUseCases): ServiceHandlers<typeof secretsApi> => ({
  set: ({ caller, params, body }) => secrets.set(caller, params.name, body).then(done),
  remove: ({ caller, params }) => secrets.remove(caller, params.name).then(done),
  get: ({ caller, params }) => secrets.get(caller, params.name),
  list: ({ caller, query }) => secrets.list(caller, query),
});
