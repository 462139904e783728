// Actions: buttons that a provisioner could once declare for web UIs. Releases of Taskcluster have only empty lists of them, but
// their clients require the member.
import Type from "typebox";
import { exactly, oneOfStrings } from "../schema.ts";

type Context = "provisioner" | "worker-type" | "worker";

/** The schema of the actions in these contexts. */
export const actionsOn = <const C extends readonly Context[]>(contexts: C) =>
  Type.Array(
    exactly({
      name: Type.String(),
      title: Type.String(),
      context: oneOfStrings(contexts),
      url: Type.String(),
      method: oneOfStrings(["POST", "PUT", "DELETE", "PATCH"]),
      description: Type.String(),
    }),
  );
