// Hints for unknown paths, with the routes of the whole contract.
import { expect, test } from "vitest";
import { services } from "../../../api/services.ts";
import type { Service } from "../../../api/service.ts";
import { methodsOf, nearRoute } from "./near-route.ts";
import { routerPaths } from "./path-parameters.ts";

const all: readonly Service[] = Object.values(services);
const routes = all.flatMap(({ name, version, endpoints }) =>
  Object.values(endpoints).flatMap((endpoint) =>
    routerPaths(endpoint).map((path) => ({ method: endpoint.method, url: `/api/${name}/${version}${path}` })),
  ),
);
const id = "fN1SbArXTPSVFNUvaOlinQ";

test.each([
  ["GET", `/api/queue/v1/task/${id}/statu`, "did you mean GET /api/queue/v1/task/<taskId>/status?"],
  ["GET", `/api/queue/v1/tasks/${id}`, "did you mean GET /api/queue/v1/task/<taskId>?"],
  [
    "GET",
    `/api/queue/v1/task-groups/${id}/list`,
    "did you mean GET /api/queue/v1/task-group/<taskGroupId>/list?",
  ],
  ["GET", "/api/queue/v2/task-queues", "did you mean GET /api/queue/v1/task-queues?"],
  ["GET", "/queue/v1/ping", "did you mean GET /api/queue/v1/ping?"],
  ["GET", "/api/auth/ping", "did you mean GET /api/auth/v1/ping?"],
  ["DELETE", `/api/queue/v1/task/${id}`, "this path takes GET and PUT."],
  [
    "POST",
    `/api/queue/v1/task/${id}/artifact/public/a/b.txt`,
    "did you mean GET /api/queue/v1/task/<taskId>/artifacts/<…>?",
  ],
  ["GET", `/api/queue/v1/task/${id}/cancel`, "this path takes POST."],
  ["GET", "/api/hooks/v1/hooks", undefined],
  ["GET", "/favicon.ico", undefined],
  ["GET", "/", undefined],
])("%s %s: %s", (method, path, hint) => {
  expect(nearRoute(routes, method, path)).toBe(hint);
});

test.each([
  [`/api/queue/v1/task/${id}`, ["GET", "PUT"]],
  [`/api/queue/v1/task/${id}/artifacts/public/a/b`, ["GET"]],
  // The second one is that of a pool with this name.
  ["/api/worker-manager/v1/worker-pool-errors/stats", ["POST", "GET", "GET"]],
  ["/api/queue/v1/task", []],
])("%s takes %j", (path, methods) => {
  expect(methodsOf(routes, path)).toEqual(methods);
});
