// Publishing the events of a service, derived from its contract: the name of the exchange, the routing key and the type of
// the message.
import type { Static } from "typebox";
import type { Exchange, RoutingKeyWords } from "../../../api/exchange.ts";
import { exchangeName, type ExchangeName, type Service } from "../../../api/service.ts";
import { isSql, sql, type Sql } from "../sql.ts";
import { logEvents } from "./log-events.ts";

/** A value, or an expression of type text. */
type Word = string | number | Sql;

interface EventOptions {
  /** Task routes or similar: each is an additional routing key `route.<route>`. An expression must be a text array. */
  readonly routes?: Sql | readonly string[];
}

export interface Publisher<S extends Service = Service, X extends Exchange = Exchange> {
  /** The full name of the exchange. */
  readonly exchange: ExchangeName<S, X>;
  readonly schema: X["message"]["schema"];
  /** The routing key as an expression. Words that are not always known are `_` if they are left out or null. */
  routingKey(words: RoutingKeyWords<X, Word>): Sql;
  /**
   * The columns `exchange, routing_key, cc, payload` of one event, for a select that is passed to `logEvents`. A message
   * that the database builds is an expression of type text.
   */
  event(
    words: RoutingKeyWords<X, Word>,
    message: Static<X["message"]["schema"]> | Sql,
    options?: EventOptions,
  ): Sql;
  /** A statement that writes the event, to be run by itself or as a CTE. `from`: one event for each row of this. */
  publish(
    words: RoutingKeyWords<X, Word>,
    message: Static<X["message"]["schema"]> | Sql,
    options?: EventOptions & { readonly from?: Sql },
  ): Sql;
}

export type Publishers<S extends Service> = {
  readonly [K in keyof S["exchanges"]]: Publisher<S, S["exchanges"][K]>;
};

/** Returns the publishers of a service's exchanges. */
export function publishersOf<const S extends Service>(service: S): Publishers<S> {
  const publishers = Object.entries(service.exchanges).map(([key, exchange]) => [
    key,
    publisher(service, exchange),
  ]);
  // Each was made from the exchange of the same key.
  return Object.fromEntries(publishers) as Publishers<S>;
}

function publisher(service: Service, declared: Exchange): Publisher {
  const exchange = exchangeName(service, declared);
  const event: Publisher["event"] = (words, message, { routes = [] } = {}) => {
    const payload = isSql(message) ? message : sql`${JSON.stringify(message)}::text`;
    const cc = isSql(routes) ? routes : sql`${routes}::text[]`;
    return sql`${exchange}::text as exchange, ${routingKey(declared, words)} as routing_key, ${cc} as cc, ${payload} as payload`;
  };
  return {
    exchange,
    schema: declared.message.schema,
    routingKey: (words) => routingKey(declared, words),
    event,
    publish: (words, message, { from = sql``, ...options } = {}) =>
      logEvents(sql`select ${event(words, message, options)} ${from}`),
  };
}

function routingKey(
  { name: event, routingKey: declared }: Exchange,
  words: Readonly<Record<string, Word | undefined>>,
): Sql {
  // Neighboring words whose values are known here are joined to one parameter.
  let text = "";
  let key: Sql | undefined;
  const append = (part: Sql): void => {
    key = key ? sql`${key} || ${part}` : part;
  };
  for (const [i, { name, constant, required }] of declared.entries()) {
    const word = words[name] ?? constant;
    if (word === undefined && required)
      throw new TypeError(`an event ${event} needs the word ${name} of its routing key`);
    if (i > 0) text += ".";
    if (!isSql(word)) text += word ?? "_";
    else {
      if (text !== "") append(sql`${text}::text`);
      append(required ? word : sql`coalesce(${word}, '_')`);
      text = "";
    }
  }
  if (text !== "") append(sql`${text}::text`);
  return key ?? sql`''`;
}
