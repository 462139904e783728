// The events of clients and roles. Their routing keys name nothing: all readers of an event get all of them.
import Type from "typebox";
import { exchange, reservedWord } from "../exchange.ts";
import { exactly, named } from "../schema.ts";
import { ClientId, RoleId } from "./scopes.ts";

const Version = Type.Unsafe<1>({ enum: [1] });
const routingKey = [reservedWord];
const clientMessage = named("v1/client-message.json", exactly({ version: Version, clientId: ClientId }));
const roleMessage = named("v1/role-message.json", exactly({ version: Version, roleId: RoleId }));

export const clientCreated = exchange({
  exchange: "client-created",
  name: "clientCreated",
  title: "Client created",
  description: "A client was created.",
  routingKey,
  message: clientMessage,
  scope: "auth:list-clients",
});
export const clientUpdated = exchange({
  exchange: "client-updated",
  name: "clientUpdated",
  title: "Client updated",
  description: "A client was updated, enabled or disabled, or has another access token.",
  routingKey,
  message: clientMessage,
  scope: "auth:list-clients",
});
export const clientDeleted = exchange({
  exchange: "client-deleted",
  name: "clientDeleted",
  title: "Client deleted",
  description: "A client was deleted, by a call or after it expired.",
  routingKey,
  message: clientMessage,
  scope: "auth:list-clients",
});
export const roleCreated = exchange({
  exchange: "role-created",
  name: "roleCreated",
  title: "Role created",
  description: "A role was created.",
  routingKey,
  message: roleMessage,
  scope: "auth:list-roles",
});
export const roleUpdated = exchange({
  exchange: "role-updated",
  name: "roleUpdated",
  title: "Role updated",
  description: "A role was updated.",
  routingKey,
  message: roleMessage,
  scope: "auth:list-roles",
});
export const roleDeleted = exchange({
  exchange: "role-deleted",
  name: "roleDeleted",
  title: "Role deleted",
  description: "A role was deleted.",
  routingKey,
  message: roleMessage,
  scope: "auth:list-roles",
});
