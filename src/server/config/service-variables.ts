// Variables that Kubernetes adds to the containers of a namespace for each of its Services, as Docker did for links. Those of
// a Service named `taskyard` or `taskyard-…` begin like the variables of settings.

const url = /^(tcp|udp|sctp):\/\/\S+$/i;
/** The variables that only such a Service has, since no setting is a URL of this kind. The others have the same prefix. */
const address = /^(TASKYARD(?:_[A-Z0-9_]+)?)_PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/;
const members =
  /^_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/**
 * Returns the variables without those that describe Services. Two settings have the name of one: `TASKYARD_PORT` and, for a
 * Service `taskyard-server`, `TASKYARD_SERVER_PORT`. They are settings unless their value is such a URL.
 */
export function withoutServiceVariables(
  env: Readonly<Record<string, string | undefined>>,
  settings: ReadonlySet<string>,
): Readonly<Record<string, string | undefined>> {
  const variables = Object.entries(env);
  const prefixes = variables.flatMap(([name, value = ""]) =>
    url.test(value) ? (address.exec(name)?.[1] ?? []) : [],
  );
  const describesService = ([name, value = ""]: [string, string | undefined]): boolean =>
    (url.test(value) || !settings.has(name)) &&
    prefixes.some((prefix) => name.startsWith(prefix) && members.test(name.slice(prefix.length)));
  return Object.fromEntries(variables.filter((variable) => !describesService(variable)));
}
