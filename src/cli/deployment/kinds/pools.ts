// Worker pools as a kind of what a deployment folder describes. Secrets are not part of it: `taskyard pool secret` sets them.
import Type, { type Static } from "typebox";
import { TASK_QUEUE_ID_PATTERN } from "../../../api/queue/task.ts";
import { exactly } from "../../../api/schema.ts";
import { createPoolFile, type PoolRequest } from "../../../api/worker-manager/pools.ts";
import { selfConfigFile, staticConfigFile } from "../../../api/worker-manager/provider-configs.ts";
import { ClientError } from "../../../client/client-error.ts";
import type { Client } from "../../../client/connect.ts";
import { compileSchema } from "../../compile-schema.ts";
import { isMembers } from "../../members.ts";
import { paginate } from "../../paginate.ts";
import { DELETED_PROVIDER } from "../../pool/deleted-provider.ts";
import { placeOfError, sentenceOfError } from "../../schema-problem.ts";
import { defineKind, type Found, type Kind, type Problem } from "../kind.ts";
import { completeConfig, withoutGeneratedIds } from "./pool-config.ts";

const definition = exactly({
  ...createPoolFile.schema.properties,
  emailOnError: Type.Optional(createPoolFile.schema.properties.emailOnError),
});
type PoolDefinition = Static<typeof definition>;

/** The configs of other providers, which other deployments have, are checked by the server only. */
const configSchemas = new Map<unknown, Kind["schema"]>([
  ["self", selfConfigFile.schema],
  ["static", staticConfigFile.schema],
]);

/** Returns what the server stores for a definition. `found` is what it has. */
export const poolRequest = (given: PoolDefinition, found?: PoolDefinition): PoolRequest => ({
  providerId: given.providerId,
  description: given.description,
  owner: given.owner,
  emailOnError: given.emailOnError ?? false,
  config: completeConfig(given.config, found?.config),
});

/** With the type of its definitions. */
export const poolKind: Kind<PoolDefinition> = {
  name: "pools",
  noun: "pool",
  id: new RegExp(TASK_QUEUE_ID_PATTERN),
  idRule: "two names with a slash between them, such as ci/linux, the second in lower case",
  schema: definition,
  check: (_, { providerId, config }) =>
    providerId === DELETED_PROVIDER
      ? [
          {
            path: ["providerId"],
            text: `providerId must not be ${DELETED_PROVIDER}, which deleted pools have; remove the pool from the file instead`,
          },
        ]
      : configProblems(providerId, config),
  complete: poolRequest,
  compact: ({ emailOnError, config, ...rest }) => ({
    ...rest,
    ...(emailOnError && { emailOnError }),
    config: withoutGeneratedIds(config),
  }),
  async list({ workerManager }) {
    const found = new Map<string, Found<PoolDefinition>>();
    const pages = paginate((query) => workerManager.listWorkerPools({ query: { ...query, limit: 1000 } }));
    for await (const page of pages)
      for (const { workerPoolId, ...pool } of page.workerPools)
        if (workerPoolId !== undefined && pool.providerId !== DELETED_PROVIDER)
          found.set(workerPoolId, { definition: poolRequest(pool) });
    return found;
  },
  scopesFor(change) {
    const manage = `worker-manager:manage-worker-pool:${change.id}`;
    if (change.action === "delete") return [manage];
    return [manage, `worker-manager:provider:${change.after.providerId}`];
  },
  async make({ workerManager }, change) {
    const params = { workerPoolId: change.id };
    if (change.action === "delete") await workerManager.deleteWorkerPool(params);
    else {
      const request = poolRequest(change.after);
      if (change.action === "update") await workerManager.updateWorkerPool(params, request);
      else await createOrRestore(workerManager, params, request);
    }
  },
};

export const pools = defineKind(poolKind);

function configProblems(providerId: unknown, config: unknown): Problem[] {
  const schema = configSchemas.get(providerId);
  if (schema === undefined || !isMembers(config)) return [];
  const validate = compileSchema(schema);
  if (validate(config)) return [];
  const members = Object.keys(schema.properties);
  return (validate.errors ?? []).map((error) => ({
    path: ["config", ...placeOfError(error)],
    text: `config: ${sentenceOfError(error, members, "config")}`,
  }));
}

/** Creates a pool. One that was deleted and has workers left still exists, and is changed back. */
async function createOrRestore(
  workerManager: Client["workerManager"],
  params: { readonly workerPoolId: string },
  request: PoolRequest,
): Promise<void> {
  try {
    await workerManager.createWorkerPool(params, request);
  } catch (error) {
    if (!(error instanceof ClientError) || error.statusCode !== 409) throw error;
    const { providerId } = await workerManager.workerPool(params);
    if (providerId !== DELETED_PROVIDER) throw error;
    await workerManager.updateWorkerPool(params, request);
  }
}
