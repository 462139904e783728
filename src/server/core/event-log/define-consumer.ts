// Consumers with typed, checked messages.
import type { Static, TSchema } from "typebox";
import { memberPath } from "../../../lib/member-path.ts";
import { compiledSchema } from "../compiled-schema.ts";
import type { ConsumerOptions } from "./consumer.ts";
import type { ConsumedEvent } from "./delivery.ts";
import { InternalError } from "../../../lib/internal-error.ts";
import type { LoggedEvent } from "./read.ts";

/** A kind of event: a publisher of a service of this project, or a literal for events of another one. */
export interface EventKind<N extends string = string, T extends TSchema = TSchema> {
  /** The full name, `exchange/taskcluster-<service>/<version>/<exchange>`. */
  readonly exchange: N;
  /** The message, or the part of it that the consumer needs. */
  readonly schema: T;
}

/** An event with its message, which was checked against the schema. */
export interface TypedEvent<N extends string = string, M = unknown> extends Omit<
  ConsumedEvent,
  "exchange" | "payload"
> {
  readonly exchange: N;
  readonly message: M;
}

type EventOf<K> = K extends EventKind<infer N, infer T> ? TypedEvent<N, Static<T>> : never;

interface CommonDefinition<K extends readonly EventKind[]> extends Omit<
  ConsumerOptions,
  "accepts" | "handle"
> {
  /** The kinds of events that it handles. */
  readonly on: K;
  /** Narrows these to some. An event that is skipped costs no statement. */
  readonly where?: (event: LoggedEvent) => boolean;
}

export interface ConsumerDefinition<K extends readonly EventKind[]> extends CommonDefinition<K> {
  /** Handles an event; see `ConsumerOptions`. */
  readonly handle: (event: EventOf<K[number]>, signal: AbortSignal) => Promise<void>;
}

export interface BatchConsumerDefinition<K extends readonly EventKind[]> extends CommonDefinition<K> {
  /** Handles up to `batch` events; see `ConsumerOptions`. */
  readonly handle: (events: readonly EventOf<K[number]>[], signal: AbortSignal) => Promise<void>;
}

/**
 * Defines a consumer of some kinds of events. An event whose message does not match its schema fails, and so becomes a
 * dead letter.
 */
export const defineConsumer = <const K extends readonly EventKind[]>({
  handle,
  ...definition
}: ConsumerDefinition<K>): ConsumerOptions =>
  defineBatchConsumer({
    ...definition,
    async handle(events, signal) {
      for (const event of events) await handle(event, signal);
    },
  });

/** Does the same for a consumer that handles several events together. If one of them fails, each is handled by itself. */
export function defineBatchConsumer<const K extends readonly EventKind[]>({
  on,
  where = () => true,
  handle,
  ...options
}: BatchConsumerDefinition<K>): ConsumerOptions {
  const schemas = new Map(on.map(({ exchange, schema }) => [exchange, schema]));
  return {
    ...options,
    accepts: (event) => schemas.has(event.exchange) && where(event),
    // Async, so that a message that is not valid rejects, like every other failure.
    handle: async (events, signal) =>
      handle(
        events.map(({ payload, ...event }) => {
          const message = parsed(payload, schemas.get(event.exchange), event.exchange);
          // The message was checked against the schema of this exchange.
          return { ...event, message } as EventOf<K[number]>;
        }),
        signal,
      ),
  };
}

function parsed(payload: string, schema: TSchema | undefined, exchange: string): unknown {
  if (schema === undefined) throw new InternalError(`the consumer does not handle events of ${exchange}`);
  const message: unknown = JSON.parse(payload);
  const validator = compiledSchema(schema);
  if (validator.Check(message)) return message;
  const faults = validator
    .Errors(message)
    .map(({ instancePath, message: fault }) => `message${memberPath(instancePath)} ${fault}`);
  throw new Error(`an event of ${exchange} is not valid: ${faults.join("; ")}: correct its publisher`);
}
