// The contract of the auth service: clients, roles and scopes.
import { monitoringEndpoints, service } from "../service.ts";
import { auditEndpoints } from "./endpoints/audit.ts";
import { clientEndpoints } from "./endpoints/clients.ts";
import { explainEndpoints } from "./endpoints/explain.ts";
import { otherSystemEndpoints } from "./endpoints/other-systems.ts";
import { roleEndpoints } from "./endpoints/roles.ts";
import { scopeEndpoints } from "./endpoints/scopes.ts";
import {
  clientCreated,
  clientDeleted,
  clientUpdated,
  roleCreated,
  roleDeleted,
  roleUpdated,
} from "./exchanges.ts";

export const authApi = service({
  name: "auth",
  version: "v1",
  title: "Auth",
  description:
    "Manages clients and roles, verifies the signatures of requests, and expands scopes through roles.",
  endpoints: {
    ...monitoringEndpoints,
    ...clientEndpoints,
    ...roleEndpoints,
    ...scopeEndpoints,
    ...explainEndpoints,
    ...auditEndpoints,
    ...otherSystemEndpoints,
  },
  exchanges: { clientCreated, clientUpdated, clientDeleted, roleCreated, roleUpdated, roleDeleted },
});
