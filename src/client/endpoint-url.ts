// Builds the URL of a call from the path of the method and the parameters.
import type { Endpoint } from "../api/endpoint.ts";
import type { Service } from "../api/service.ts";
import { withoutTrailingSlashes } from "../lib/trailing-slashes.ts";

export type Values = Readonly<Record<string, string | number | undefined>>;

/**
 * Returns the complete URL. Parameters are encoded as one segment, including slashes: servers accept both forms, but only
 * this one passes proxies that normalize paths. Throws if a parameter is missing.
 */
export function endpointUrl(
  rootUrl: string,
  service: Pick<Service, "name" | "version">,
  endpoint: Endpoint,
  params: Values = {},
  query: Values = {},
): string {
  const path = endpoint.path.replace(/[:*](\w+)/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`${service.name}.${endpoint.name} needs the parameter ${name}`);
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  const suffix = search.size > 0 ? `?${search.toString()}` : "";
  return `${rootUrl}/api/${service.name}/${service.version}${path}${suffix}`;
}

/** Returns the root URL without trailing slashes. Throws if it is not an http or https URL. */
export function cleanRootUrl(rootUrl: string): string {
  const protocol = URL.canParse(rootUrl) ? new URL(rootUrl).protocol : "";
  if (protocol !== "http:" && protocol !== "https:") {
    throw new Error(
      `the root URL ${JSON.stringify(rootUrl)} must be a URL such as https://taskyard.example.com`,
    );
  }
  return withoutTrailingSlashes(rootUrl);
}
