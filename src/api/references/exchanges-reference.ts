// The reference of a service's events, in the format that listeners and UIs of the compatible system read.
import { exchangeName, type Service } from "../service.ts";
import type { RoutingKeyWord } from "../exchange.ts";
import { commonSchemaPath, schemaId, schemaReference } from "./locations.ts";

export interface ExchangesReference {
  readonly $schema: string;
  readonly apiVersion: string;
  readonly serviceName: string;
  readonly title: string;
  readonly description: string;
  /** What stands before `exchange` of an entry in the full name of an exchange. */
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

/** The reference of the events of `service`, for any root URL; none where it has no events. */
export function renderExchangesReference(service: Service): ExchangesReference | undefined {
  const exchanges = Object.values(service.exchanges);
  if (exchanges.length === 0) return undefined;
  return {
    $schema: schemaId(commonSchemaPath("exchanges-reference-v0")),
    apiVersion: service.version,
    serviceName: service.name,
    title: `${service.title} events`,
    description: `The events that are published by this service. ${service.description}`,
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
