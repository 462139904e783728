// A service of the contract: its name, its methods, its events. The methods that every service answers are here.
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
  /** Schemas that are published although no method and no event uses them as a whole. */
  readonly schemas?: readonly Named[];
}

/** Declares a service; the literal types of the argument are kept. */
export const service = <const S extends Service>(declaration: S): S => declaration;

/** The full name of an exchange, as AMQP and the event log know it. */
export const exchangeName = (of: Pick<Service, "name" | "version">, x: Pick<Exchange, "exchange">): string =>
  `exchange/taskcluster-${of.name}/${of.version}/${x.exchange}`;

/** What every service answers without being asked to: probes for people, load balancers and Dockerflow. */
export const monitoringEndpoints = {
  ping: endpoint({
    method: "GET",
    path: "/ping",
    name: "ping",
    category: "Monitoring",
    stability: "stable",
    title: "Is it alive?",
    description: "Answers `alive` and the seconds since start. Needs no database.",
    reply: "blob",
  }),
  lbheartbeat: endpoint({
    method: "GET",
    path: "/__lbheartbeat__",
    name: "lbheartbeat",
    category: "Monitoring",
    stability: "stable",
    title: "Heartbeat for load balancers",
    description: "Answers at once where the process can serve requests.",
    reply: "blob",
  }),
  version: endpoint({
    method: "GET",
    path: "/__version__",
    name: "version",
    category: "Monitoring",
    stability: "stable",
    title: "Version",
    description: "The running version, in the form of Dockerflow's `version.json`.",
    reply: "blob",
  }),
  heartbeat: endpoint({
    method: "GET",
    path: "/__heartbeat__",
    name: "heartbeat",
    category: "Monitoring",
    stability: "stable",
    title: "Heartbeat",
    description: "Answers where the process and what it stands on are well.",
    reply: "blob",
  }),
} as const;
