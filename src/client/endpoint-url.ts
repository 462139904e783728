// The address of a method call: from the path that the contract declares, and the caller's parameters.
import type { Endpoint } from "../api/endpoint.ts";
import type { Service } from "../api/service.ts";

export type Values = Readonly<Record<string, string | number | undefined>>;

/**
 * The full URL. Every parameter is encoded as one segment, slashes included: servers take both forms, but only this
 * one survives proxies that tidy up paths. Throws where a parameter is missing.
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

/** A root URL without the slashes at its end. Throws where it is not an http(s) URL. */
export function cleanRootUrl(rootUrl: string): string {
  const protocol = URL.canParse(rootUrl) ? new URL(rootUrl).protocol : "";
  if (protocol !== "http:" && protocol !== "https:") {
    throw new Error(
      `the root URL ${JSON.stringify(rootUrl)} must be a URL such as https://taskyard.example.com`,
    );
  }
  return rootUrl.replace(/\/+$/, "");
}
