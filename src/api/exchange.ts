// A kind of event as a single literal: its exchange, the words of its routing key and the schema of its message.
import type { Named } from "./schema.ts";

export interface RoutingKeyWord<N extends string = string> {
  readonly name: N;
  readonly summary: string;
  /** The value of a word that is always the same. */
  readonly constant?: string;
  /** Whether the word is always known. Otherwise it can be `_`. */
  readonly required: boolean;
  /** Whether the word may contain dots. Only the last one may; bindings match it with `#`. */
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

/** Declares a kind of event. Preserves the literal types of the argument. */
export const exchange = <const X extends Exchange>(declaration: X): X => declaration;

/** The first word of every primary routing key. */
export const primaryWord: RoutingKeyWord<"routingKeyKind"> = {
  name: "routingKeyKind",
  summary: "The kind of routing key. Always `primary`, the documented format.",
  constant: "primary",
  required: true,
  multipleWords: false,
};

/** The last word of every routing key, reserved for future words. */
export const reservedWord: RoutingKeyWord<"reserved"> = {
  name: "reserved",
  summary: "Reserved for future words. Match it with `#`.",
  required: false,
  multipleWords: true,
};

/** Declares a word of a routing key. Its name keeps its literal type, so that the compiler can check bindings. */
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
