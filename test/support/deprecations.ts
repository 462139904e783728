/**
 * Options of Node with which the use of a deprecated API is an error, in the tests and in the processes that they start.
 *
 * APIs that are deprecated in the documentation alone are included from Node 24 on: older versions do not except
 * libraries, and taskcluster-client uses some.
 */
export const deprecationsThrow: string[] = [
  "--throw-deprecation",
  ...(Number.parseInt(process.versions.node) >= 24 ? ["--pending-deprecation"] : []),
];
