// Registration: a worker proves what it is and gets credentials.
import Type, { type Static } from "typebox";
import { DateTime, exactly, named, oneOf } from "../schema.ts";
import { AnyObject, Identifier, Secret, WorkerPoolId } from "./pools.ts";

const IdentityProof = oneOf(
  // Proofs of providers that this server does not have. They are part of the wire API and refused with a reason.
  exactly({ token: Type.String() }),
  exactly({ staticSecret: Secret }),
  exactly({ document: Type.String(), signature: Type.String() }),
  exactly({ document: Type.String() }),
  exactly({ poolSecret: Secret }),
);
export type IdentityProof = Static<typeof IdentityProof>;

const RegisterRequest = exactly(
  {
    workerPoolId: WorkerPoolId,
    providerId: Identifier,
    workerGroup: Identifier,
    workerId: Identifier,
    workerIdentityProof: IdentityProof,
    systemBootTime: Type.Optional(DateTime),
  },
  {
    examples: [
      {
        workerPoolId: "proj-app/linux",
        providerId: "self",
        workerGroup: "berlin",
        workerId: "worker-1",
        workerIdentityProof: { poolSecret: "Zk3vN8qYw1TzR5uXc7BmLp0JhGfDsAeQ2iOxK4tVj9Ub" },
      },
    ],
  },
);
export type RegisterRequest = Static<typeof RegisterRequest>;

const granted = {
  expires: DateTime,
  credentials: exactly({
    clientId: Type.String(),
    accessToken: Type.String(),
    certificate: Type.Optional(Type.String()),
  }),
  secret: Secret,
};

export const registerRequestFile = named("v1/register-worker-request.json", RegisterRequest);
export const registerReplyFile = named(
  "v1/register-worker-response.json",
  exactly({ ...granted, workerConfig: AnyObject }),
);
export const reregisterRequestFile = named(
  "v1/reregister-worker-request.json",
  exactly({ workerPoolId: WorkerPoolId, workerGroup: Identifier, workerId: Identifier, secret: Secret }),
);
export const reregisterReplyFile = named("v1/reregister-worker-response.json", exactly(granted));
export type Granted = Static<typeof reregisterReplyFile.schema>;
