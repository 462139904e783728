// The path of an event stream.

/** Returns the path of the stream of all retained events of an exchange. */
export const streamOf = (exchange: string): string =>
  `/api/events/v1/connect?from=start&bindings=${encodeURIComponent(
    JSON.stringify({ bindings: [{ exchange, routingKeyPattern: "#" }] }),
  )}`;
