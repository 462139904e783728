// Actions: buttons that provisioners could formerly declare for web UIs. Replies of Taskcluster v106.0.0 have only empty lists of
// them, but its clients require the member.
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
