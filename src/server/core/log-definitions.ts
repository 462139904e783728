// Log records as literals, from which the types of their fields and the references derive. Those of a service are in its
// folder. Only records that other programs may read are declared; all others are for people.
import type { DeclaredLog } from "../../api/references/logs-document.ts";
import type { Monitor } from "./monitor.ts";

/** Kinds of records by their message. */
export type LogDefinitions = Readonly<Record<string, DeclaredLog>>;

/** The fields of a record. */
export type FieldsOf<D extends DeclaredLog> = { readonly [F in keyof D["fields"]]: string | number };

/** Writes a declared record. */
export type WriteRecord<L extends LogDefinitions> = <K extends keyof L & string>(
  ctx: { readonly monitor: Monitor },
  message: K,
  fields: FieldsOf<L[K]>,
) => void;

/** Returns a function that writes the declared records, each at its level. */
export const recordsOf =
  <L extends LogDefinitions>(logs: L): WriteRecord<L> =>
  ({ monitor }, message, fields) => {
    const level = logs[message]?.level ?? "info";
    monitor.log[level]<object>(fields, message);
  };
