// The reference of a service's events, in the format for listeners and UIs of Taskcluster.
import { exchangeName, type Service } from "../service.ts";
import type { RoutingKeyWord } from "../exchange.ts";
import { commonSchemaPath, schemaId, schemaReference } from "./locations.ts";

export interface ExchangesReference {
  readonly $schema: string;
  readonly apiVersion: string;
  readonly serviceName: string;
  readonly title: string;
  readonly description: string;
  /** The prefix of the full name of an exchange, before `exchange` of the entry. */
  readonly exchangePrefix: string;
  readonly entries: readonly ExchangeEntry[];
}

/** A kind of event. */
interface ExchangeEntry {
  readonly type: "topic-exchange";
  readonly exchange: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly routingKey: readonly RoutingKeyWord[];
  /** `v1/task-pending-message.json#`: a schema below `/schemas/<service>/`. */
  readonly schema: string;
}

/** Returns the reference of the events of `service`, for any root URL, or `undefined` if it has none. */
export function renderExchangesReference(service: Service): ExchangesReference | undefined {
  const exchanges = Object.values(service.exchanges);
  if (exchanges.length === 0) return undefined;
  return {
    $schema: schemaId(commonSchemaPath("exchanges-reference-v0")),
    apiVersion: service.version,
    serviceName: service.name,
    title: `${service.title} events`,
    description: `Events of the service. ${service.description}`,
    exchangePrefix: exchangeName(service, { exchange: "" }),
    entries: exchanges.map(({ exchange, name, title, description, routingKey, message }) => ({
      type: "topic-exchange",
      exchange,
      name,
      title,
      description,
      routingKey,
      schema: schemaReference(message),
    })),
  };
}
