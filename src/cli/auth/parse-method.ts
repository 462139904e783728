// Parses a call of a method of the API: `queue.createTask taskId=…`.
import type { Endpoint } from "../../api/endpoint.ts";
import type { Service } from "../../api/service.ts";
import { services } from "../../api/services.ts";
import { didYouMean } from "../../lib/did-you-mean.ts";
import { templateParams } from "../../lib/scopes/render.ts";
import { UsageError } from "../cli-error.ts";

export interface MethodWords {
  /** The member of the client that has the method. */
  readonly key: keyof typeof services;
  readonly service: Service;
  readonly endpoint: Endpoint;
  readonly params: Readonly<Record<string, string>>;
}

// The members are the same at run time.
const keys = Object.keys(services) as (keyof typeof services)[];

/** Splits the words. Throws a `UsageError` for a service or method that does not exist. */
export function parseMethod([word = "", ...assignments]: readonly string[]): MethodWords {
  const [serviceName = "", ...rest] = word.split(".");
  const name = rest.join(".");
  const key = keys.find((one) => services[one].name === serviceName);
  if (key === undefined || name === "")
    throw new UsageError(
      `${word}: must be a method such as queue.createTask; the services are ${keys.map((one) => services[one].name).join(", ")}`,
    );
  const service: Service = services[key];
  const methods = Object.values(service.endpoints);
  const endpoint = methods.find((one) => one.name === name);
  if (endpoint === undefined) {
    const names = methods.map((one) => one.name);
    const near = didYouMean(name, names);
    throw new UsageError(
      `${serviceName} has no method ${name}; ${near === undefined ? `use one of ${names.join(", ")}` : `did you mean ${serviceName}.${near}?`}`,
    );
  }
  const params = Object.fromEntries(
    assignments.map((assignment) => {
      const at = assignment.indexOf("=");
      if (at < 1) throw new UsageError(`${assignment}: must be a parameter as NAME=VALUE`);
      return [assignment.slice(0, at), assignment.slice(at + 1)];
    }),
  );
  return { key, service, endpoint, params };
}

/** Converts the parameters of scopes that are lists (with commas) or flags. */
export function scopeParams({ endpoint, params }: MethodWords): Record<string, string | boolean | string[]> {
  const kinds = new Map(
    endpoint.scopes === undefined
      ? []
      : templateParams(endpoint.scopes).map(({ name, kind }) => [name, kind]),
  );
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      const kind = kinds.get(name);
      if (kind === "list") return [name, value === "" ? [] : value.split(",")];
      return [name, kind === "flag" && (value === "true" || value === "false") ? value === "true" : value];
    }),
  );
}
