// Bindings to events, typed by the exchanges of the contract: `queueEvents.taskCompleted({ taskId })`.
import type { Static } from "typebox";
import type { Exchange } from "../api/exchange.ts";
import { exchangeName, type ExchangeName, type Service } from "../api/service.ts";
import { services, type Services } from "../api/services.ts";
import { didYouMean } from "../lib/did-you-mean.ts";

declare const payload: unique symbol;

/** Selects events: those of an exchange whose routing key matches the pattern. Carries the type of their payloads. */
export interface Binding<X extends string = string, P = unknown> {
  readonly exchange: X;
  /** `*` matches one word, `#` any number of words. */
  readonly routingKeyPattern: string;
  /** Exists only for the compiler. */
  readonly [payload]?: P;
}

/** The payload of the events that a binding selects. */
export type PayloadOf<B> = B extends Binding<string, infer P> ? P : never;

type Words<X extends Exchange> = { readonly [N in X["routingKey"][number]["name"]]?: string | number };

/** For each exchange, a function that creates a binding from words of the routing key, or from a complete pattern. */
export type ServiceBindings<S extends Service> = {
  readonly [K in keyof S["exchanges"]]: (
    words?: Words<S["exchanges"][K]> | string,
  ) => Binding<ExchangeName<S, S["exchanges"][K]>, Static<S["exchanges"][K]["message"]["schema"]>>;
};

/** Creates the binding functions of a service. */
export function bindingsOf<const S extends Service>(service: S): ServiceBindings<S> {
  const functions = Object.entries(service.exchanges).map(([key, exchange]) => [
    key,
    (words: Words<Exchange> | string = {}): Binding => ({
      exchange: exchangeName(service, exchange),
      routingKeyPattern: typeof words === "string" ? words : pattern(exchange, words),
    }),
  ]);
  // Each function was created from the exchange of the same key.
  return Object.fromEntries(functions) as ServiceBindings<S>;
}

/** The binding functions of every service, by the service's name: `events.queue.taskCompleted({ taskId })`. */
export const events = Object.fromEntries(
  Object.entries(services).map(([name, service]) => [name, bindingsOf(service)]),
  // Each member was created from the service of the same name.
) as { readonly [N in keyof Services]: ServiceBindings<Services[N]> };

/** The events of the queue. */
export const queueEvents = events.queue;

function pattern(exchange: Exchange, words: Words<Exchange>): string {
  const known = exchange.routingKey.map(({ name }) => name);
  for (const name of Object.keys(words)) {
    if (known.includes(name)) continue;
    const meant = didYouMean(name, known);
    const right = meant ?? `one of ${known.join(", ")}`;
    throw new Error(`the routing key of ${exchange.name} has no word ${name}: use ${right}`);
  }
  return exchange.routingKey
    .map(({ name, constant, multipleWords }) => words[name] ?? constant ?? (multipleWords ? "#" : "*"))
    .join(".");
}
