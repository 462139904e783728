// A service of the contract: its name, methods and events. Also the methods that every service has.
import { endpoint, type Endpoint } from "./endpoint.ts";
import type { Exchange } from "./exchange.ts";
import type { Named } from "./schema.ts";

export interface Service {
  readonly name: string;
  readonly version: string;
  readonly title: string;
  readonly description: string;
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  readonly exchanges: Readonly<Record<string, Exchange>>;
  /** Further schemas to publish, which no method or event uses as its request, reply or message. */
  readonly schemas?: readonly Named[];
}

/** Declares a service. Preserves the literal types of the argument. */
export const service = <const S extends Service>(declaration: S): S => declaration;

/** Returns the methods that references and documentation show. */
export const publishedEndpoints = ({ endpoints }: Pick<Service, "endpoints">): Endpoint[] =>
  Object.values(endpoints).filter(({ unpublished }) => unpublished !== true);

/** Returns the full name of an exchange, as used by AMQP and the event log. */
export const exchangeName = <
  const S extends Pick<Service, "name" | "version">,
  const X extends Pick<Exchange, "exchange">,
>(
  of: S,
  x: X,
): ExchangeName<S, X> => `exchange/taskcluster-${of.name}/${of.version}/${x.exchange}`;

export type ExchangeName<
  S extends Pick<Service, "name" | "version">,
  X extends Pick<Exchange, "exchange">,
> = `exchange/taskcluster-${S["name"]}/${S["version"]}/${X["exchange"]}`;

/** The scope to read `/metrics`, which is not a method of a service. */
export const METRICS_SCOPE = "server:metrics";

/** Probes that every service has, for people, load balancers and Dockerflow. */
export const monitoringEndpoints = {
  ping: endpoint({
    method: "GET",
    path: "/ping",
    name: "ping",
    category: "Monitoring",
    stability: "stable",
    title: "Ping",
    description: "Returns `alive` and the uptime in seconds. Does not access the database.",
    reply: "blob",
  }),
  lbheartbeat: endpoint({
    method: "GET",
    path: "/__lbheartbeat__",
    name: "lbheartbeat",
    category: "Monitoring",
    stability: "stable",
    title: "Load balancer heartbeat",
    description: "Succeeds if the process can serve requests. Checks nothing else.",
    reply: "blob",
  }),
  version: endpoint({
    method: "GET",
    path: "/__version__",
    name: "version",
    category: "Monitoring",
    stability: "stable",
    title: "Version",
    description: "Returns the running version, in the format of Dockerflow's `version.json`.",
    reply: "blob",
  }),
  heartbeat: endpoint({
    method: "GET",
    path: "/__heartbeat__",
    name: "heartbeat",
    category: "Monitoring",
    stability: "stable",
    title: "Heartbeat",
    description: "Succeeds if the process and the services that it depends on are healthy.",
    reply: "blob",
  }),
} as const;
