// A kind of event as a single literal: its exchange, the words of its routing key and the schema of its message.
import type { Named } from "./schema.ts";

export interface RoutingKeyWord<N extends string = string, R extends boolean = boolean> {
  readonly name: N;
  readonly summary: string;
  /** The value of a word that is always the same. */
  readonly constant?: string;
  /** Whether the word is always known. Otherwise it can be `_`. */
  readonly required: R;
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
  /** The scope to list what the events name. Listeners need it beside `events:listen`. */
  readonly scope?: string;
}

/** Declares a kind of event. Preserves the literal types of the argument. */
export const exchange = <const X extends Exchange>(declaration: X): X => declaration;

/**
 * The words of a routing key that differ from event to event, by name. `V` is the type of their values. Words that are
 * not always known may be left out.
 */
export type RoutingKeyWords<X extends Exchange, V> = {
  readonly [W in VariableWord<X> as W["required"] extends true ? W["name"] : never]: V;
} & { readonly [W in VariableWord<X> as W["required"] extends true ? never : W["name"]]?: V };

type VariableWord<X extends Exchange> = Exclude<
  X["routingKey"][number],
  { readonly constant: string } | { readonly name: "reserved" }
>;

/** The first word of every primary routing key. */
export const primaryWord: RoutingKeyWord<"routingKeyKind", true> & { readonly constant: string } = {
  name: "routingKeyKind",
  summary: "The kind of routing key. Always `primary`, the documented format.",
  constant: "primary",
  required: true,
  multipleWords: false,
};

/** The last word of every routing key, reserved for future words. */
export const reservedWord: RoutingKeyWord<"reserved", false> = {
  name: "reserved",
  summary: "Reserved for future words. Match it with `#`.",
  required: false,
  multipleWords: true,
};

/** Declares a word of a routing key. The literal types are kept, so that the compiler can check bindings and events. */
export const keyWord = <const N extends string, const R extends boolean>(
  name: N,
  summary: string,
  required: R,
): RoutingKeyWord<N, R> => ({
  name,
  summary,
  required,
  multipleWords: false,
});
