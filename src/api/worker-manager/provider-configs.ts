// The config of a worker pool, by its provider.
import Type, { type Static } from "typebox";
import { exactly, named } from "../schema.ts";
import { AnyObject, Identifier } from "./pools.ts";

/** Four days. */
export const DEFAULT_REREGISTRATION_TIMEOUT = 345_600;

const reregistrationTimeout = Type.Optional(
  Type.Integer({
    default: DEFAULT_REREGISTRATION_TIMEOUT,
    maximum: 2_592_000,
    description: "After how many seconds the credentials of a worker expire, unless it registers again.",
  }),
);

const Lifecycle = exactly({
  registrationTimeout: Type.Optional(Type.Integer()),
  reregistrationTimeout,
  queueInactivityTimeout: Type.Optional(Type.Integer({ default: 7200, minimum: 1200 })),
});

const StaticConfig = exactly({
  workerConfig: Type.Optional(AnyObject),
  lifecycle: Type.Optional(exactly({ reregistrationTimeout })),
});

const SelfLaunchConfig = exactly({
  workerConfig: Type.Optional(AnyObject),
  workerManager: Type.Optional(
    exactly({
      launchConfigId: Type.Optional(Identifier),
      maxCapacity: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
    }),
  ),
});
export type SelfLaunchConfig = Static<typeof SelfLaunchConfig>;

const SelfConfig = exactly({
  maxCapacity: Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    description: "How many workers may be registered at the same time.",
  }),
  workerConfig: Type.Optional(AnyObject),
  lifecycle: Type.Optional(exactly({ reregistrationTimeout })),
  launchConfigs: Type.Optional(
    Type.Array(SelfLaunchConfig, {
      maxItems: 100,
      description:
        "Kinds of workers. A worker gets the first kind that has room, and its `workerConfig` in addition to that of the pool.",
    }),
  ),
});
export type SelfConfig = Static<typeof SelfConfig>;

export const lifecycleFile = named("v1/worker-lifecycle.json", Lifecycle);
export const nullConfigFile = named("v1/config-null.json", AnyObject);
export const staticConfigFile = named("v1/config-static.json", StaticConfig);
export const selfConfigFile = named("v1/config-self.json", SelfConfig);
