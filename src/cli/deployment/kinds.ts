// The kinds of what a deployment folder describes, in the order of lists and messages.
import type { Kind } from "./kind.ts";
import { clients } from "./kinds/clients.ts";
import { pools } from "./kinds/pools.ts";
import { roles } from "./kinds/roles.ts";

export const kinds: readonly Kind[] = [roles, clients, pools];
