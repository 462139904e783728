// The providers of worker pools. Each determines what a pool's config contains and how its workers prove their identity.
import {
  nullConfigFile,
  selfConfigFile,
  staticConfigFile,
} from "../../../../api/worker-manager/provider-configs.ts";
import type { Named } from "../../../../api/schema.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { bodyCheck, type BodyCheck } from "../../../core/http/validation.ts";

/** The provider of deleted pools. */
export const NULL_PROVIDER = "null-provider";
/** Workers that an administrator creates one by one. */
export const STATIC = "static";
/** Workers that create themselves with a secret of their pool. */
export const SELF = "self";

interface Provider {
  readonly providerId: string;
  readonly checkConfig: BodyCheck;
}

const provider = (providerId: string, { file, schema }: Named): Provider => ({
  providerId,
  checkConfig: bodyCheck(schema, () => `/schemas/worker-manager/${file}#`),
});

/** Ordered by id. Their types have the same names. */
export const providers: readonly Provider[] = [
  provider(NULL_PROVIDER, nullConfigFile),
  provider(SELF, selfConfigFile),
  provider(STATIC, staticConfigFile),
];

const names = providers.map(({ providerId }) => `"${providerId}"`).join(", ");

/** Throws unless there is such a provider and the config matches its schema. */
export function checkConfig(providerId: string, config: object): void {
  const found = providers.find((one) => one.providerId === providerId);
  if (found === undefined)
    throw new ApiError("InputError", `Invalid Provider "${providerId}": it must be one of ${names}.`);
  // A copy, since the check fills in defaults, and the config is stored as it was given.
  const text = JSON.stringify(config);
  found.checkConfig(JSON.parse(text), text.length);
}
