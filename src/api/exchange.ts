// One kind of event as one literal: its exchange, the words of its routing key and the schema of its message.
import type { Named } from "./schema.ts";

export interface RoutingKeyWord<N extends string = string> {
  readonly name: N;
  readonly summary: string;
  /** A word that always has this value. */
  readonly constant?: string;
  /** A word that is not required is `_` where it is not known. */
  readonly required: boolean;
  /** Only the last word may hold dots; consumers match it with `#`. */
  readonly multipleWords: boolean;
}

export interface Exchange {
  /** The last part of the exchange's full name `exchange/taskcluster-<service>/<version>/<exchange>`. */
  readonly exchange: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly routingKey: readonly RoutingKeyWord[];
  readonly message: Named;
}

/** Declares a kind of event; the literal types of the argument are kept. */
export const exchange = <const X extends Exchange>(declaration: X): X => declaration;

/** The first word of every formal routing key. */
export const primaryWord: RoutingKeyWord<"routingKeyKind"> = {
  name: "routingKeyKind",
  summary: "Kind of the routing key: always `primary`, the documented form.",
  constant: "primary",
  required: true,
  multipleWords: false,
};

/** The last word of every routing key: room for words that may come. */
export const reservedWord: RoutingKeyWord<"reserved"> = {
  name: "reserved",
  summary: "Room for words that may be added; bind it with `#`.",
  required: false,
  multipleWords: true,
};

/** A plain word of a routing key; its name keeps its literal type, so that bindings can be checked. */
export const keyWord = <const N extends string>(
  name: N,
  summary: string,
  required: boolean,
): RoutingKeyWord<N> => ({
  name,
  summary,
  required,
  multipleWords: false,
});
