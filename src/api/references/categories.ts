// The methods of a service in the order for readers.
import type { Endpoint } from "../endpoint.ts";
import { publishedEndpoints, type Service } from "../service.ts";

/** Groups the methods by category, in the order of the contract. The probes that every service has come last. */
export function byCategory(service: Service): [category: string, endpoints: readonly Endpoint[]][] {
  const groups = new Map<string, Endpoint[]>();
  for (const endpoint of publishedEndpoints(service))
    groups.set(endpoint.category, [...(groups.get(endpoint.category) ?? []), endpoint]);
  const isProbes = ([category]: [string, unknown]): number => (category === "Monitoring" ? 1 : 0);
  return [...groups].toSorted((a, b) => isProbes(a) - isProbes(b));
}
