// Methods by which workers get their credentials.
import { endpoint } from "../../endpoint.ts";
import {
  registerReplyFile,
  registerRequestFile,
  reregisterReplyFile,
  reregisterRequestFile,
} from "../registration.ts";

const category = "Worker Interface";

export const registrationEndpoints = {
  registerWorker: endpoint({
    method: "POST",
    path: "/worker/register",
    name: "registerWorker",
    category,
    stability: "stable",
    title: "Register a worker",
    description:
      "Returns credentials to a worker that proves its identity: with its own secret (provider `static`), or with a secret of its pool, which also creates the worker (provider `self`). Can be repeated.",
    body: registerRequestFile,
    secretMembers: ["workerIdentityProof"],
    reply: registerReplyFile,
  }),
  reregisterWorker: endpoint({
    method: "POST",
    path: "/worker/reregister",
    name: "reregisterWorker",
    category,
    stability: "experimental",
    title: "Renew the credentials of a worker",
    description:
      "Returns new credentials and a new secret in exchange for the secret of the last registration, which is valid once. If the reply is lost, register the worker again.",
    scopes: "worker-manager:reregister-worker:<workerPoolId>/<workerGroup>/<workerId>",
    body: reregisterRequestFile,
    secretMembers: ["secret"],
    reply: reregisterReplyFile,
  }),
} as const;
